import { again, type Case, check, type Field, FRESH, optimal, required, type Step, store } from '../case.ts'

const range = (value: string): Field => ['Range', `bytes=${value}`]

const WHOLE: Step = store([FRESH], { answer: { body: '0123456789a' } })

/** The last five bytes of ten. */
const PART: Step = store([FRESH, ['Content-Range', 'bytes 5-9/10']], {
  request: [range('-5')],
  answer: { status: 206, body: '56789' },
})

/** A part as some origins label it: one byte more in the label than in the body. */
const MISLABELLED: Step = store([FRESH, ['Content-Range', 'bytes 4-9/10']], {
  request: [range('-5')],
  answer: { status: 206, body: '45678' },
})

const asked = (value: string, body: string): Step => again('cache', { request: [range(value)], status: 206, body })

/** Parts of answers (RFC 9110 §14, RFC 9111 §3.3 and §3.4). */
export const ranges: readonly Case[] = [
  optimal('range/whole-first-last', '9111 §3.3', 'serves a range from a whole answer', [WHOLE, asked('0-1', '01')]),
  optimal('range/whole-first', '9111 §3.3', 'serves a range without an end from a whole answer', [
    WHOLE,
    asked('1-', '123456789a'),
  ]),
  optimal('range/whole-suffix', '9111 §3.3', 'serves the last bytes from a whole answer', [WHOLE, asked('-1', 'a')]),
  optimal('range/part-same', '9111 §3.3', 'stores a part and reuses it', [
    { ...PART, sent: [['Range', 'bytes=-5']] },
    asked('-5', '56789'),
  ]),
  optimal('range/part-first-last', '9111 §3.3', 'serves a smaller range from a part', [PART, asked('6-8', '678')]),
  optimal('range/part-first', '9111 §3.3', 'serves a range without an end from a part that holds the end', [
    PART,
    asked('6-', '6789'),
  ]),
  optimal('range/part-suffix', '9111 §3.3', 'serves the last byte from a part that holds it', [PART, asked('-1', '9')]),
  optimal('range/completed', '9111 §3.4', 'asks for what a stored part lacks, and puts both together', [
    store([FRESH, ['ETag', '"kept"'], ['Content-Range', 'bytes 0-4/10']], {
      request: [range('0-4')],
      answer: { status: 206, body: '01234' },
    }),
    {
      origin: {
        status: 206,
        fields: [FRESH, ['ETag', '"kept"'], ['Content-Range', 'bytes 5-9/10', 'loose']],
        body: '56789',
      },
      sent: [['Range', 'bytes=5-']],
      status: 200,
      body: '0123456789',
    },
  ]),
  check('range/part-tagged', '9111 §3.3', 'serves a smaller range from a part with a strong tag', [
    store([FRESH, ['ETag', '"kept"'], ['Content-Range', 'bytes 5-9/10']], {
      request: [range('-5')],
      answer: { status: 206, body: '56789' },
    }),
    asked('6-8', '678'),
  ]),
  required('range/changed', '9111 §3.4', 'does not put a stored part and a changed answer together', [
    store([FRESH, ['ETag', '"old"'], ['Content-Range', 'bytes 0-4/10']], {
      request: [range('0-4')],
      answer: { status: 206, body: '01234' },
    }),
    { from: 'origin', origin: { fields: [FRESH, ['ETag', '"new"']], body: 'abcdefghij' } },
    again('cache', { body: 'abcdefghij' }),
  ]),
  check(
    'range/completed-without-validator',
    '9111 §3.4',
    'asks for what a stored part lacks where it has no validator',
    [
      store([FRESH, ['Content-Range', 'bytes 0-4/10']], {
        request: [range('0-4')],
        answer: { status: 206, body: '01234' },
      }),
      { sent: [['Range', 'bytes=5-']] },
    ],
  ),
  check('range/mislabelled', '9110 §14.4', 'reuses a part whose length is not what Content-Range says', [
    MISLABELLED,
    asked('6-8', '678'),
  ]),
  required('range/fields-of-whole', '9110 §15.3.7', 'says the stored fields with a part of a whole answer', [
    store([FRESH, ['Mark', '1']], { answer: { body: '0123456789a' } }),
    { ...asked('0-1', '01'), fields: [['Mark', '1']] },
  ]),
  required('range/not-whole', '9111 §3.3', 'does not serve a part as the whole', [
    PART,
    { from: 'origin', origin: { body: '0123456789' } },
  ]),
]
