import {
  again,
  at,
  cacheControl,
  type Case,
  type Field,
  optimal,
  required,
  type Source,
  type Step,
  store,
} from '../case.ts'

const RFC = '9111 §4.1'

/** An answer that varies by these lines, to a request with these fields. */
const varying = (lines: readonly string[], request: readonly Field[], more: readonly Field[] = []): Step =>
  store(
    [
      cacheControl('max-age=5000'),
      ['Last-Modified', at(-3000)],
      ['Date', at(0)],
      ...lines.map((line): Field => ['Vary', line, 'loose']),
      ...more,
    ],
    { request },
  )

const asked = (from: Source, ...request: Field[]): Step => again(from, { request })

const shade = (value: string): Field => ['Shade', value]
const size = (value: string): Field => ['Size', value]
const shape = (value: string): Field => ['Shape', value]
const language = (value: string): Field => ['Accept-Language', value]

const ONE: Step = varying(['Shade'], [shade('red')])
const TWO: Step = varying(['Shade, Size'], [shade('red'), size('ten')])
const THREE: Step = varying(['Shade, Size, Shape'], [shade('red'), size('ten'), shape('round')])
const NAMED = 'Accept-Language'

/** Which stored answer fits a request (RFC 9111 §4.1). */
export const vary: readonly Case[] = [
  optimal('vary/match', RFC, 'reuses a variant for a request like its own', [ONE, asked('cache', shade('red'))]),
  required('vary/other', RFC, 'does not reuse a variant for another value', [ONE, asked('origin', shade('blue'))]),
  required('vary/absent-when-stored', RFC, 'does not reuse a variant stored without the field for one with it', [
    varying(['Shade'], []),
    asked('origin', shade('red')),
  ]),
  required('vary/absent', RFC, 'does not reuse a variant for a request without the field', [ONE, asked('origin')]),
  optimal('vary/two-variants', RFC, 'keeps two variants', [
    { ...ONE, origin: { ...ONE.origin, body: 'it is red' } },
    { ...varying(['Shade'], [shade('blue')]), from: 'origin' },
    asked('cache', shade('red')),
  ]),
  optimal('vary/unnamed', RFC, 'pays no regard to fields that Vary does not name', [
    varying(['Shade'], [shade('red'), ['Other', '2']]),
    asked('cache', shade('red'), ['Other', '3']),
  ]),
  optimal('vary/two-match', RFC, 'reuses a variant by two fields', [TWO, asked('cache', shade('red'), size('ten'))]),
  required('vary/two-other', RFC, 'does not reuse a variant by two fields where one is different', [
    TWO,
    asked('origin', shade('blue'), size('ten')),
  ]),
  required('vary/two-absent', RFC, 'does not reuse a variant by two fields for a request without', [
    TWO,
    asked('origin'),
  ]),
  optimal('vary/three-match', RFC, 'reuses a variant by three fields', [
    THREE,
    asked('cache', shade('red'), size('ten'), shape('round')),
  ]),
  required('vary/three-other', RFC, 'does not reuse a variant by three fields where the first is different', [
    THREE,
    asked('origin', shade('blue'), size('ten'), shape('round')),
  ]),
  required('vary/three-order', RFC, 'does not reuse a variant by three fields where the last sent is different', [
    THREE,
    asked('origin', shade('red'), shape('round'), size('tenth')),
  ]),
  optimal('vary/three-absent', RFC, 'reuses a variant for a request that lacks the same field', [
    varying(['Shade, Size, Shape'], [shade('red'), shape('round')]),
    asked('cache', shade('red'), shape('round')),
  ]),
  required('vary/star', RFC, 'does not reuse Vary: *', [varying(['*'], [shade('red')]), asked('origin', shade('red'))]),
  optimal('vary/combined-lines', RFC, 'takes two lines of a field for a list', [
    varying(['Shade'], [shade('red, blue')]),
    asked('cache', shade('red'), shade('blue')),
  ]),
  optimal('vary/space', RFC, 'pays no regard to spaces around commas', [
    varying(['Shade'], [shade('red,blue')]),
    asked('cache', shade(' red,  blue ')),
  ]),
  optimal('vary/language-order', '9110 §12.5.4', 'pays no regard to the order of languages', [
    varying([NAMED], [language('en, de')]),
    asked('cache', language('de, en')),
  ]),
  optimal('vary/language-case', '4647 §2', 'pays no regard to the case of languages', [
    varying([NAMED], [language('en, de')]),
    asked('cache', language('eN, De')),
  ]),
  optimal('vary/language-space', RFC, 'pays no regard to spaces between languages', [
    varying([NAMED], [language('en, de')]),
    asked('cache', language(' en ,   de')),
  ]),
  optimal('vary/language-chosen', '9110 §12.5.4', 'reuses the language that a request likes best', [
    varying([NAMED], [language('en, de')], [['Content-Language', 'de']]),
    asked('cache', language('fr;q=0.5, de;q=1.0')),
  ]),
]

const stars: readonly (readonly [id: string, what: string, ...lines: string[]])[] = [
  ['star', '*', '*'],
  ['star-star', '*, *', '*, *'],
  ['star-star-lines', '* on two lines', '*', '*'],
  ['empty-star', 'an empty member and *', ', *'],
  ['empty-star-lines', 'an empty line and *', '', '*'],
  ['star-name', '* before a name', '*, Shade'],
  ['name-star', '* after a name', 'Shade, *'],
]

/** How Vary is read (RFC 9110 §12.5.5): a * anywhere is a *. */
export const varySyntax: readonly Case[] = stars.map(([id, what, ...lines]) =>
  required(`vary-syntax/${id}`, '9110 §12.5.5', `does not reuse Vary with ${what}`, [
    varying(lines, [shade('red'), shape('round')]),
    asked('origin', shade('red'), shape('round')),
  ]),
)
