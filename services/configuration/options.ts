import type { Static } from 'typebox'
import { Type } from '../options/type.ts'

/** How the configuration is kept up with its file. */
export const reloadSchema = Type.Object(
  {
    watch: Type.Boolean({
      default: false,
      description:
        'Reload when the configuration file changes, or a file that it imports or names, such as a certificate; looked at once a second',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Reload by itself; SIGHUP and headrace reload work always' },
)

export type ReloadOptions = Static<typeof reloadSchema>
