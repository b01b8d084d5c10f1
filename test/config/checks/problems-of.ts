import { resolveConfig } from '../../../config/resolve.ts'

/** What is said of a configuration: `path: message`, and what was meant. */
export function problemsOf(input: Record<string, unknown>): string[] {
  try {
    resolveConfig(input)
    return []
  } catch (error) {
    const { problems } = error as { problems: { path: string; message: string; suggestion: string | null }[] }
    return problems.map(
      ({ path, message, suggestion }) => `${path}: ${message}${suggestion === null ? '' : `; ${suggestion}?`}`,
    )
  }
}
