/** What the scenarios have in common in which answers come from a cache. */
import type { Request, Traffic } from './scenario.ts'

/** As a browser's `fetch` sends them, in its order. */
const BROWSER_FIELDS = {
  'sec-ch-ua-platform': '"Linux"',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
  'sec-ch-ua-mobile': '?0',
  accept: 'application/json, text/plain, */*',
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  referer: 'https://fleet.example.com/vehicles?page=2',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-US,en;q=0.9,de;q=0.8',
}

/** A stored answer of 1 KiB. */
export const hit: Request = {
  name: 'hits',
  method: 'GET',
  path: '/cached/1k',
  fields: BROWSER_FIELDS,
  body: null,
  answer: { status: 200, bodyBytes: 1024 },
  reachesOrigin: false,
}

/** 64 connections, one request at a time on each. */
export const overHttp1 = (...requests: Request[]): Traffic => ({
  client: 'http1',
  connections: 64,
  streams: 1,
  requests,
})
