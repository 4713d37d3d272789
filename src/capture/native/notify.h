/*
 * A line to the service manager that started us (sd_notify(3)).
 *
 * In:  the address in NOTIFY_SOCKET, a message. Out: whether it was handed over.
 * Not: Node, which is ring.c's; and Node's dgram has no unix sockets, which is why this is in C.
 */
#ifndef FLOWSCRIBE_NOTIFY_H
#define FLOWSCRIBE_NOTIFY_H
#include <stddef.h>

/* Room for any message of ours, and the longest address that a unix socket has, with its NUL. */
enum { NOTICE_LEN_MAX = 4096, NOTIFY_PATH_MAX = 108 };

/* 0, or the errno of what went wrong. Never waits: a manager that doesn't read costs us the message, not the time. */
int sendNotice(const char *path, const char *text, size_t len);

#endif
