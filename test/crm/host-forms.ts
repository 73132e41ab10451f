/** Hosts as attackers write them: private addresses in every notation, and ways to be taken for `api.example.com` or `acme.tenants.example.com`. */

const loopback = [
  '127.0.0.1', '127.0.0.2', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0x7f.1', '0X7F.0X0.0X0.0X1', '0177.0.0.1', '0177.0.0.01', '017700000001', '00000177.0.0.1',
  '0', '0.0.0.0', '0x0', '00', '127.0.0.1.', '127.0.0.1..', '127。0。0。1', '１２７.0.0.1', '①②⑦.⓪.⓪.①', '127%2e0%2e0%2e1', '%31%32%37.0.0.1', '0x7f.0x0.0x0.0x1', '127.0x1', '4294967297', '0100000000177',
  '[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[::7f00:1]', '[0000::0001]', '[::1%25lo]', '[::1%lo]', '::1', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]',
  'localhost', 'LOCALHOST', 'localhost.', 'localhost.localdomain', 'localhost6', 'ip6-localhost', 'ip6-loopback', 'lOcAlHoSt', 'ⓛocalhost', 'foo.localhost'
]
const privates = [
  '10.0.0.1', '10.255.255.255', '012.0.0.1', '0xa.0.0.1', '167772161', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.1.254', '3232235521', '0xc0a80001', '0300.0250.0.1', '192.168.257', '100.64.0.1', '198.18.0.1', '192.0.0.192', '192.0.2.1', '198.51.100.7', '203.0.113.9', '240.0.0.1', '255.255.255.255', '224.0.0.1',
  '169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '169.254.170.2', '100.100.100.200', '[fd00:ec2::254]', '[fe80::1]', '[fe80::a9fe:a9fe]', '[fc00::1]', '[fdff::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]',
  'metadata.google.internal', 'metadata', 'instance-data', 'kubernetes.default.svc', 'host.docker.internal', 'router.local', 'intranet', 'wpad', 'db.internal', '169.254.169.254.nip.io', '127.0.0.1.nip.io', 'localtest.me', '10-0-0-1.sslip.io', 'rebind.network'
]
/** Around hosts that the connector lists. */
const confusing = ['api.example.com', 'acme.tenants.example.com'].flatMap(good => [
  `evil.example@${good}`, `${good}@evil.example`, `${good}:443@evil.example`, `${good}%40evil.example`, `user:pass@${good}`, `@${good}`, `:@${good}`, `${good}\\@evil.example`, `evil.example\\@${good}`, `evil.example\\.${good}`, `evil.example/.${good}`, `evil.example?.${good}`, `evil.example#.${good}`,
  `evil.example%00.${good}`, `evil.example\u0000.${good}`, `evil.example%2f.${good}`, `evil.example%23.${good}`, `evil.example:443#@${good}`, `evil.example;${good}`, `evil.example,${good}`, `evil.example ${good}`, `${good} .evil.example`, `${good}.`, `${good}..`, `.${good}`, `..${good}`, `${good}.evil.example`, `${good}-evil.example`, `evil${good}`, `x.${good}`, `x.y.${good}`,
  `${good}:80`, `${good}:22`, `${good}:8443`, `${good}:0`, `${good}:65536`, `${good}:-1`, `${good}:443:443`, `${good}:４４３`, good.replace('example', 'exаmple'), good.replace('example', 'ｅxample'), good.replace('.com', '。com'), good.replace('.com', '.cоm'), good.replace('example', 'xn--exmple-4nf'), good.replace('.com', '.co'), good.replace('.com', '.com.co'), good.replace('e', '\u0435'),
  `\t${good}`, `${good}\r\n`, `${good}\r\nhost: evil.example`, `//${good}`, `///${good}`, `\\\\${good}`, `https://${good}`, `http://evil.example/${good}`, `[${good}]`, `[::1]${good}`, `*.${good}`, `${good}?x=`, `${good}#`, `${good}/#@evil.example`
])
const others = ['', ' ', '.', '..', '*', '@', ':', '/', '\\', '[', ']', '[]', '%', '%00', '\u0000', 'undefined', 'null', 'example.com', 'tenants.example.com', 'evil.example', 'a.b.tenants.example.com', '_.tenants.example.com', `${'a'.repeat(64)}.tenants.example.com`, '-', 'xn--', 'https://', 'file:///etc/passwd', 'gopher://127.0.0.1', 'data:,x', 'unix:/var/run/docker.sock', '1e3', '0x', '0xg.0.0.1', '256.256.256.256', '1.2.3.4.5']

/** Forms in which a host can be written that is not a CRM's, or is not plainly one. */
export const hosts: readonly string[] = [...loopback, ...privates, ...confusing, ...others]
