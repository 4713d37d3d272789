/**
 * Port numbers in words, for reports only.
 *
 * In:  IANA protocol number and port. Out: the service's usual name, or null.
 * Not: what is really spoken there: flowscribe reads headers. A report says 'port 22 (usually ssh)'.
 */
import { TCP, UDP } from '../flow/flow.ts'

const BOTH: Readonly<Record<number, string>> = {
  53: 'dns',
  88: 'kerberos',
  123: 'ntp',
  389: 'ldap',
  443: 'https',
  5060: 'sip',
}
const TCP_ONLY: Readonly<Record<number, string>> = {
  20: 'ftp data',
  21: 'ftp',
  22: 'ssh',
  23: 'telnet',
  25: 'smtp',
  80: 'http',
  110: 'pop',
  111: 'rpcbind',
  135: 'msrpc',
  139: 'netbios',
  143: 'imap',
  445: 'smb',
  465: 'smtps',
  587: 'submission',
  636: 'ldaps',
  993: 'imaps',
  995: 'pops',
  1433: 'mssql',
  1521: 'oracle',
  2049: 'nfs',
  2323: 'telnet',
  3306: 'mysql',
  3389: 'rdp',
  5432: 'postgresql',
  5555: 'adb',
  5900: 'vnc',
  5985: 'winrm',
  5986: 'winrm',
  6379: 'redis',
  7547: 'cwmp',
  8080: 'http',
  8443: 'https',
  9200: 'elasticsearch',
  27017: 'mongodb',
}
const UDP_ONLY: Readonly<Record<number, string>> = {
  67: 'dhcp',
  68: 'dhcp',
  69: 'tftp',
  137: 'netbios',
  138: 'netbios',
  161: 'snmp',
  500: 'ike',
  514: 'syslog',
  1900: 'ssdp',
  4500: 'ipsec',
  5353: 'mdns',
}

export function serviceName(proto: number, port: number): string | null {
  const own = proto === TCP ? TCP_ONLY[port] : proto === UDP ? UDP_ONLY[port] : undefined
  return own ?? (proto === TCP || proto === UDP ? (BOTH[port] ?? null) : null)
}
