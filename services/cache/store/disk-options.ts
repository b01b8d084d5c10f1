import { join } from 'node:path'
import type { Static } from 'typebox'
import { bytes, Size } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

/** What `cache.disk` may say. */
export const diskSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'Keep entries on disk as well: shared by the processes, there after a restart',
    }),
    path: Type.Optional(
      Type.String({
        description:
          'Folder of the file; without it `cache` in `dataDir`. On a disk of this machine, never one that machines share',
      }),
    ),
    bytes: Size({
      default: '1GiB',
      description: 'Size of the file; the journal beside it takes some MiB more. At least 1MiB',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'The second tier: a file that the processes of this machine share',
  },
)

export type DiskInput = Static<typeof diskSchema>

export interface DiskOptions {
  enabled: boolean
  /** Absolute where `dataDir` is. */
  folder: string
  bytes: number
}

/** Less would hold nothing but the tables. */
const LEAST_BYTES = 1024 * 1024

/** @param toPath turns a path of the configuration into an absolute one */
export function resolveDisk(
  input: DiskInput,
  { dataDir, toPath }: { dataDir: string; toPath: (path: string) => string },
): DiskOptions {
  return {
    enabled: input.enabled,
    folder: input.path === undefined ? join(toPath(dataDir), 'cache') : toPath(input.path),
    bytes: Math.max(LEAST_BYTES, bytes(input.bytes)),
  }
}
