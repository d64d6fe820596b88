-- The sample application's tables, the same as the application itself would make. Each statement may be repeated; a
-- change of a table is a new statement below.
CREATE TABLE IF NOT EXISTS messages (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- What the client chose: a request that is sent twice is one message.
  request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  author VARCHAR(40) NOT NULL,
  body VARCHAR(500) NOT NULL,
  -- The web server that took the request, and the database server that accepted the row.
  server VARCHAR(64) NOT NULL,
  accepted_by VARCHAR(64) NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY request_id (request_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
