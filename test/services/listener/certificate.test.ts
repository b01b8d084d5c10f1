import { join } from 'node:path'
import { test } from 'tap'
import { developmentCertificate } from '../../../services/listener/certificate.ts'

void test('a dataDir that is a file is an error that says so', async (t) => {
  const file = join(t.testdir({ taken: 'text' }), 'taken')
  await t.rejects(developmentCertificate(file), { code: 'HR_TLS_DATA_DIR', message: /taken \(EEXIST\).*another/ })
})
