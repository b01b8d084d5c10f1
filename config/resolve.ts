import { type Config, configOf } from './config.ts'
import { ConfigInvalidError } from './errors.ts'
import type { ConfigInput } from './input.ts'
import { formatPath, type Problem, Report } from './problem.ts'
import { validate } from './validate.ts'

/**
 * The configuration of an object, without a file, the environment or the command line: for a gateway inside another
 * program, and for tests.
 *
 * @param root the folder that relative paths start from; default: the working directory
 * @param report complaints that were made already: they are told with the others
 * @throws HR_CONFIG_INVALID, every problem in its message and, as data, in its `problems`
 */
export function resolveConfig(
  input: ConfigInput | Record<string, unknown>,
  { root = process.cwd(), report = new Report() }: { root?: string; report?: Report } = {},
): Config {
  const settings = validate(input, { report, root })
  if (settings === undefined || report.complaints.length > 0) {
    throw invalid(
      report.complaints.map(
        ({ code, message, path, suggestion }): Problem => ({
          code,
          message,
          path: formatPath(path),
          suggestion: suggestion ?? null,
          source: null,
          line: null,
          column: null,
          excerpt: null,
        }),
      ),
    )
  }
  return configOf(settings, { file: null, root })
}

/** The error of a configuration with these problems. */
export function invalid(problems: readonly Problem[]): Error & { code: string; problems: readonly Problem[] } {
  const lines = problems.map(({ path, message, suggestion }) => {
    const place = path === '' ? '' : `${path}: `
    return `${place}${message}${suggestion === null ? '' : `; did you mean ${suggestion}?`}`
  })
  return Object.assign(new ConfigInvalidError(`The configuration is invalid:\n  ${lines.join('\n  ')}`), { problems })
}
