/** How the operators rank an instance as the next primary, the best rank first (Orchestrator's promotion rules). */
export const PROMOTION_RULES = ['prefer', 'neutral', 'prefer_not', 'must_not'] as const;

export type PromotionRule = (typeof PROMOTION_RULES)[number];
