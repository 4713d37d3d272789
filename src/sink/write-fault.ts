/**
 * What to say when the world does not take what we write: one line with the path and the remedy.
 *
 * In:  the path, and the error that Node gave. Out: a `RunError`.
 */
import { RunError } from '../base/errors.ts'

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device: free some, or choose another folder with -l',
  EDQUOT: 'the disk quota is used up: free some space, or choose another folder with -l',
  EACCES: 'not allowed: check the owner and mode of the folder, or choose another with -l',
  EPERM: 'not allowed: check the owner and mode of the folder, or choose another with -l',
  EROFS: 'the file system is read-only: choose another folder with -l',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a file is in the way of a folder of this name',
  EISDIR: 'this is a folder, not a file',
  ENOENT: 'no such folder',
  ENAMETOOLONG: 'the name is too long for this file system',
  ELOOP: 'symbolic links lead round in a circle',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  EFBIG: 'the file would be larger than this file system or limit allows',
  EIO: 'the device reports an error: check the disk',
}

export function writeFault(path: string, error: unknown): RunError {
  const code = errorCode(error)
  const remedy = REMEDIES[code] ?? (error instanceof Error ? error.message : String(error))
  return new RunError(`cannot write ${path}: ${remedy}`, { cause: error })
}

export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
