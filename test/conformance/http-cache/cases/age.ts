import { again, at, cacheControl, type Case, check, type Field, required, type Source, storeAndWait } from '../case.ts'

const stored = (lines: readonly string[], from: Source, lifetime = 3600): Case['steps'] => {
  const ages = lines.map((line): Field => ['Age', line, 'loose'])
  return [storeAndWait([['Date', at(0)], cacheControl(`max-age=${lifetime}`), ...ages]), again(from)]
}

const RFC = '9111 §5.1'

/** How Age is read (RFC 9111 §5.1): the first member of a list counts, and what is no number does not. */
export const age: readonly Case[] = [
  required('age/word', RFC, 'ignores an Age that is a word', stored(['old'], 'cache')),
  required('age/negative', RFC, 'ignores a negative Age', stored(['-7200'], 'cache')),
  required('age/decimal', RFC, 'ignores an Age with decimals', stored(['7200.0'], 'cache')),
  ...['2147483647', '2147483648', '2147483649'].map((value) =>
    required(`age/${value}`, '9111 §1.2.2', `does not reuse an answer of Age ${value}`, stored([value], 'origin')),
  ),
  required('age/old-then-new', RFC, 'counts the first member: old, then 0', stored(['7200, 0'], 'origin')),
  required('age/new-then-old', RFC, 'counts the first member: 0, then old', stored(['0, 7200'], 'cache')),
  required('age/old-then-new-lines', RFC, 'counts the first line: old, then 0', stored(['7200', '0'], 'origin')),
  required('age/new-then-old-lines', RFC, 'counts the first line: 0, then old', stored(['0', '7200'], 'cache')),
  required('age/zero-twice', RFC, 'reuses an answer with Age 0 twice', stored(['0, 0'], 'cache')),
  required('age/zero-twice-lines', RFC, 'reuses an answer with Age 0 on two lines', stored(['0', '0'], 'cache')),
  required('age/same-twice', RFC, 'does not add up Age on two lines', stored(['3600', '3600'], 'cache', 10_000)),
  check('age/parameter', RFC, 'heeds an Age with a parameter', stored(['7200;hare=tortoise'], 'origin')),
  check('age/numeric-parameter', RFC, 'heeds an Age with a numeric parameter', stored(['7200;hare=1'], 'origin')),
]
