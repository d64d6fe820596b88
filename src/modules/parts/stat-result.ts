import type { FileStat } from '../../facts/file.ts';
import type { Result } from '../../steps/plan.ts';
import { octal } from '../kit/arguments.ts';

/** What `stat` and `find` return of a file. */
export function statResult(found: FileStat): Result {
  const has = (bit: number): boolean => (found.mode & bit) !== 0;
  return {
    mode: octal(found.mode),
    isdir: found.type === 'directory',
    ischr: found.type === 'char',
    isblk: found.type === 'block',
    isreg: found.type === 'file',
    isfifo: found.type === 'fifo',
    islnk: found.type === 'link',
    issock: found.type === 'socket',
    uid: found.uid,
    gid: found.gid,
    pw_name: found.owner,
    gr_name: found.group,
    size: found.size,
    inode: found.inode,
    dev: found.device,
    nlink: found.links,
    atime: found.atime,
    mtime: found.mtime,
    ctime: found.ctime,
    wusr: has(0o200),
    rusr: has(0o400),
    xusr: has(0o100),
    wgrp: has(0o020),
    rgrp: has(0o040),
    xgrp: has(0o010),
    woth: has(0o002),
    roth: has(0o004),
    xoth: has(0o001),
    isuid: has(0o4000),
    isgid: has(0o2000),
  };
}
