/*
 * A disk that takes its time: LD_PRELOAD makes each flush of a file wait so many milliseconds (SLOW_MS). Where FAIL names a file that
 * exists, writes to alerts.jsonl fail with EIO instead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_long(void) {
  const char *text = getenv("SLOW_MS");
  const long ms = text == NULL ? 0 : strtol(text, NULL, 10);
  const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

static int is_alert_log(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t len = readlink(link, path, sizeof path - 1);
  if (len <= 0) return 0;
  path[len] = '\0';
  return strstr(path, "/alerts.jsonl") != NULL;
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_long();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char *fail = getenv("FAIL");
  if (fail != NULL && access(fail, F_OK) == 0 && is_alert_log(fd)) {
    errno = EIO;
    return -1;
  }
  wait_long();
  return real(fd);
}
