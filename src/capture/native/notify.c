/*
 * sd_notify(3)'s protocol: one datagram to a unix socket, whose address begins with '/' or, in the abstract namespace, with '@'.
 */
#define _GNU_SOURCE
#include "notify.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int sendNotice(const char *path, const char *text, size_t len) {
  struct sockaddr_un address;
  const size_t pathLen = strlen(path);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (pathLen < 2 || pathLen >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return EINVAL;
  memcpy(address.sun_path, path, pathLen);
  /* An abstract address begins with NUL and has no NUL at its end: its length says where it ends. */
  if (path[0] == '@') address.sun_path[0] = '\0';
  const socklen_t addressLen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + pathLen + (path[0] == '@' ? 0 : 1));
#ifdef SOCK_CLOEXEC
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
#endif
  if (fd < 0) return errno;
#ifdef MSG_NOSIGNAL
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
  const int flags = MSG_DONTWAIT;
#endif
  const ssize_t sent = sendto(fd, text, len, flags, (const struct sockaddr *)&address, addressLen);
  const int fault = sent < 0 ? errno : 0;
  close(fd);
  return fault;
}
