import createError from '@fastify/error'

/** A configuration that cannot be used; `problems` holds each reason with its place. */
export const ConfigInvalidError = createError('HR_CONFIG_INVALID', '%s', 500)

/** `env('NAME')` outside of the loader, where the variable is not set and there is no default. */
export const EnvironmentUnsetError = createError(
  'HR_CONFIG_ENV_UNSET',
  "The environment variable %s is not set. Set it, or give a default: env('%s', 'default').",
  500,
)

/** What can be wrong with a configuration: every code that `headrace check` reports, and what it says. */
export const PROBLEM_CODES = {
  HR_CONFIG_NOT_FOUND: 'There is no configuration file where one was looked for.',
  HR_CONFIG_AMBIGUOUS: 'Several configuration files lie in the folder; --config chooses one.',
  HR_CONFIG_UNREADABLE: 'The file cannot be read, is larger than 1 MiB, or has an unknown extension.',
  HR_CONFIG_SYNTAX: 'The file is no valid YAML, JSON, JavaScript or TypeScript.',
  HR_CONFIG_EVALUATION: 'The code of the file threw, took longer than 5 s, or exports no configuration.',
  HR_CONFIG_NOT_DATA: 'A value is no plain data: a function, a promise, an instance of a class, a cycle.',
  HR_CONFIG_ENV_UNSET: 'An environment variable that has no default is not set.',
  HR_CONFIG_UNKNOWN_KEY: 'There is no such property.',
  HR_CONFIG_MISSING: 'A property that has no default is missing.',
  HR_CONFIG_TYPE: 'The value is of another type than the property.',
  HR_CONFIG_VALUE: 'The value is not one of those allowed.',
  HR_CONFIG_UNIT: 'A duration, size or rate is not written as one.',
  HR_CONFIG_NAME: 'The name of an upstream is reserved, or has characters that names may not have.',
  HR_CONFIG_TARGET: 'A target is no origin.',
  HR_CONFIG_TARGET_UNKNOWN: 'A route names an upstream that does not exist.',
  HR_CONFIG_ROUTE_INVALID:
    "A route's key or rewrite cannot be read, or the rewrite uses a parameter that the key lacks.",
  HR_CONFIG_ROUTE_CONFLICT: 'Two routes match exactly the same requests.',
  HR_CONFIG_CACHE: "Something in a route's cache has no effect, or one that cannot be meant.",
  HR_CONFIG_LIMIT: 'A rate limit or a tier says too little, says it twice, or allows nothing.',
  HR_CONFIG_ROUTE_OPTION: 'Something else that a route says has no effect, or one that cannot be meant.',
  HR_CONFIG_ROUTE_RESERVED: "A route names one of the gateway's own endpoints.",
  HR_CONFIG_ENDPOINT_CONFLICT: "Two of the gateway's own endpoints have one path.",
  HR_CONFIG_LISTENER_CONFLICT: 'Two listeners would bind the same address and port.',
  HR_CONFIG_LISTENER_INVALID: 'Options of a listener contradict each other.',
  HR_CONFIG_FILE_MISSING: 'A file that the configuration names does not exist or cannot be read.',
  HR_CONFIG_CONSUMERS: "The consumers' file has something that cannot be used, or a tier that there is not.",
} as const satisfies Record<`HR_CONFIG_${string}`, string>

export type ProblemCode = keyof typeof PROBLEM_CODES
