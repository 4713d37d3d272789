/*
 * One live capture, libpcap's side of it (handle.h).
 *
 * A handle belongs to the thread that opened it; only `interruptHandle` may come from another one, by number. Nothing is
 * global but the table of those numbers, behind a mutex.
 *
 * pcap_dispatch may block for ever on a silent line whatever its time-out (pcap(3PCAP), "read timeout"): the handle is
 * non-blocking, and the waiting is a poll of its descriptor.
 */
#define _GNU_SOURCE
#include "handle.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/if_packet.h>
#endif

/* Where the callback of one read writes. */
typedef struct {
  Handle *handle;
  uint8_t *bytes;
  size_t at;
  size_t end;
} Fill;

/* ---- the numbers by which another thread interrupts a read ---- */

static pthread_mutex_t wakersLock = PTHREAD_MUTEX_INITIALIZER;
static int wakers[HANDLES_MAX]; /* write end of the pipe + 1; 0: free */

static uint32_t addWaker(int fd) {
  uint32_t id = 0;
  pthread_mutex_lock(&wakersLock);
  for (uint32_t i = 0; i < HANDLES_MAX && id == 0; i++) {
    if (wakers[i] != 0) continue;
    wakers[i] = fd + 1;
    id = i + 1;
  }
  pthread_mutex_unlock(&wakersLock);
  return id;
}

/* Under the lock, so that no other thread writes to a descriptor that was closed and given away again. */
static void closeWaker(Handle *handle) {
  pthread_mutex_lock(&wakersLock);
  if (handle->id != 0) wakers[handle->id - 1] = 0;
  handle->id = 0;
  for (int i = 0; i < 2; i++) {
    if (handle->wake[i] >= 0) close(handle->wake[i]);
    handle->wake[i] = -1;
  }
  pthread_mutex_unlock(&wakersLock);
}

bool interruptHandle(uint32_t id) {
  bool isKnown = false;
  pthread_mutex_lock(&wakersLock);
  if (id >= 1 && id <= HANDLES_MAX && wakers[id - 1] != 0) {
    const ssize_t written = write(wakers[id - 1] - 1, "!", 1);
    /* A full pipe holds a wake-up already. */
    isKnown = written == 1 || errno == EAGAIN;
  }
  pthread_mutex_unlock(&wakersLock);
  return isKnown;
}

void releaseHandle(Handle *handle) {
  closeWaker(handle);
  if (handle->pcap != NULL) pcap_close(handle->pcap);
  handle->pcap = NULL;
}

/* ---- open ---- */

static const char *codeOf(int status) {
  switch (status) {
  case PCAP_ERROR_PERM_DENIED:
  case PCAP_ERROR_PROMISC_PERM_DENIED:
    return "EPERM";
  case PCAP_ERROR_NO_SUCH_DEVICE:
    return "ENODEV";
  case PCAP_ERROR_IFACE_NOT_UP:
    return "ENETDOWN";
  default:
    return "ECAPTURE";
  }
}

static bool failOpen(OpenFault *fault, pcap_t *pcap, const char *code, const char *what) {
  const char *detail = pcap == NULL ? "" : pcap_geterr(pcap);
  fault->code = code;
  snprintf(fault->message, sizeof fault->message, "%s%s%s", what, detail[0] == '\0' ? "" : ": ", detail);
  return false;
}

static bool joinFanout(OpenFault *fault, pcap_t *pcap, const OpenOptions *o) {
  if (o->fanoutGroup < 0) return true;
#if defined(__linux__) && defined(PACKET_FANOUT)
  const uint32_t word = (uint32_t)o->fanoutGroup | (o->fanoutMode << 16);
  if (setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_FANOUT, &word, sizeof word) == 0) return true;
  return failOpen(fault, NULL, "EFANOUT", strerror(errno));
#else
  (void)pcap;
  return failOpen(fault, NULL, "EFANOUT", "this system has no packet fanout");
#endif
}

#ifdef __linux__
/* Whether the kernel runs the program as it stands: it is not too long, and not for cooked frames, whose offsets libpcap changes. */
static bool runsInKernel(pcap_t *pcap, const struct bpf_program *program) {
  const int linkType = pcap_datalink(pcap);
  return program->bf_len <= BPF_MAXINSNS && linkType != DLT_LINUX_SLL && linkType != DLT_LINUX_SLL2;
}
#endif

static bool setFilter(OpenFault *fault, Handle *handle, const char *filter) {
  struct bpf_program program;
  pcap_t *pcap = handle->pcap;
#ifdef __linux__
  /* Without a filter there is nothing that a later one would have to take the place of. */
  handle->isFilteredByKernel = true;
#endif
  if (filter[0] == '\0') return true;
  if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) return failOpen(fault, pcap, "EFILTER", "the filter does not compile");
  const int status = pcap_setfilter(pcap, &program);
#ifdef __linux__
  handle->isFilteredByKernel = runsInKernel(pcap, &program);
#endif
  pcap_freecode(&program);
  return status == 0 || failOpen(fault, pcap, "EFILTER", "the filter cannot be set");
}

/*
 * pcap_setfilter lets nothing through while it changes from one filter to the next, and counts nothing of that. The kernel's own
 * exchange has no such gap, so it is used where the program needs none of libpcap's changes.
 */
bool changeFilter(Handle *handle, const char *filter, OpenFault *fault) {
  struct bpf_program program;
  pcap_t *pcap = handle->pcap;
  if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) return failOpen(fault, pcap, "EFILTER", "the filter does not compile");
#ifdef __linux__
  if (handle->isFilteredByKernel && runsInKernel(pcap, &program)) {
    struct sock_fprog code = {(unsigned short)program.bf_len, (struct sock_filter *)(void *)program.bf_insns};
    const int attached = setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof code);
    const int why = errno;
    pcap_freecode(&program);
    return attached == 0 || failOpen(fault, NULL, "EFILTER", strerror(why));
  }
  handle->isFilteredByKernel = false;
#endif
  const int status = pcap_setfilter(pcap, &program);
  pcap_freecode(&program);
  return status == 0 || failOpen(fault, pcap, "EFILTER", "the filter cannot be set");
}

/* libpcap's own words for a status come before the details it keeps in the handle. */
static bool activate(OpenFault *fault, Handle *handle, const OpenOptions *o) {
  char message[PCAP_ERRBUF_SIZE];
  pcap_t *pcap = handle->pcap;
  pcap_set_snaplen(pcap, (int)o->snapLen);
  pcap_set_promisc(pcap, o->isPromiscuous ? 1 : 0);
  pcap_set_timeout(pcap, o->blockTimeoutMs);
  pcap_set_buffer_size(pcap, o->bufferBytes);
  handle->isNanosecond = o->isNanosecond && pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) == 0;
  const int status = pcap_activate(pcap);
  if (status < 0) return failOpen(fault, status == PCAP_ERROR ? pcap : NULL, codeOf(status), pcap_statustostr(status));
  handle->isNanosecond = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO;
  if (pcap_setnonblock(pcap, 1, message) != 0) return failOpen(fault, NULL, "ECAPTURE", message);
  handle->pollFd = pcap_get_selectable_fd(pcap);
  if (handle->pollFd < 0) return failOpen(fault, NULL, "ECAPTURE", "this device cannot be waited for");
  /* The filter first: a member of a fanout group without it would take packets that nobody wants. */
  return setFilter(fault, handle, o->filter) && joinFanout(fault, pcap, o);
}

static bool openWaker(OpenFault *fault, Handle *handle) {
  if (pipe(handle->wake) != 0) {
    handle->wake[0] = handle->wake[1] = -1;
    return failOpen(fault, NULL, "ECAPTURE", strerror(errno));
  }
  for (int i = 0; i < 2; i++) {
    fcntl(handle->wake[i], F_SETFL, O_NONBLOCK);
    fcntl(handle->wake[i], F_SETFD, FD_CLOEXEC);
  }
  handle->id = addWaker(handle->wake[1]);
  return handle->id != 0 || failOpen(fault, NULL, "EMFILE", "too many captures are open in this process");
}

bool openHandle(Handle *handle, const OpenOptions *o, OpenFault *fault) {
  char message[PCAP_ERRBUF_SIZE];
  handle->wake[0] = handle->wake[1] = -1;
  handle->snapLen = o->snapLen;
  memcpy(handle->device, o->device, sizeof handle->device);
  handle->pcap = pcap_create(o->device, message);
  if (handle->pcap == NULL) return failOpen(fault, NULL, "ECAPTURE", message);
  return activate(fault, handle, o) && openWaker(fault, handle);
}

/* ---- read ---- */

static void put32(uint8_t *to, uint32_t word) {
  to[0] = (uint8_t)word;
  to[1] = (uint8_t)(word >> 8);
  to[2] = (uint8_t)(word >> 16);
  to[3] = (uint8_t)(word >> 24);
}

static void takePacket(uint8_t *user, const struct pcap_pkthdr *header, const uint8_t *frame) {
  Fill *fill = (Fill *)(void *)user;
  Handle *handle = fill->handle;
  const size_t room = fill->end - fill->at;
  const uint32_t capLen = header->caplen;
  if (room < REC_HEADER_LEN || room - REC_HEADER_LEN < capLen) {
    handle->noRoom++;
    pcap_breakloop(handle->pcap);
    return;
  }
  uint8_t *to = fill->bytes + fill->at;
  const uint32_t fraction = (uint32_t)header->ts.tv_usec;
  put32(to, (uint32_t)header->ts.tv_sec);
  put32(to + 4, handle->isNanosecond ? fraction : fraction * 1000U);
  put32(to + 8, capLen);
  put32(to + 12, header->len);
  memcpy(to + REC_HEADER_LEN, frame, capLen);
  fill->at += REC_HEADER_LEN + capLen;
  /* Stops before a packet that might not fit: what is left stays in the ring. */
  if (fill->end - fill->at < REC_HEADER_LEN + (size_t)handle->snapLen) pcap_breakloop(handle->pcap);
}

static double clockUs(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What an error of libpcap is: the device may have vanished, which is no bug. */
static int faultOf(Handle *handle, int status) {
  snprintf(handle->fault, sizeof handle->fault, "%s", status == PCAP_ERROR ? pcap_geterr(handle->pcap) : pcap_statustostr(status));
  const bool isGone = status == PCAP_ERROR_IFACE_NOT_UP || status == PCAP_ERROR_NO_SUCH_DEVICE || if_nametoindex(handle->device) == 0;
  return isGone && strcmp(handle->device, "any") != 0 ? READ_GONE : READ_FAILED;
}

static bool takeWakeUp(Handle *handle) {
  char bytes[64];
  bool isWoken = false;
  while (read(handle->wake[0], bytes, sizeof bytes) > 0) isWoken = true;
  return isWoken;
}

int64_t readSlab(Handle *handle, uint8_t *bytes, size_t start, size_t end, int timeoutMs) {
  Fill fill = {handle, bytes, start, end};
  const double deadlineUs = clockUs(CLOCK_MONOTONIC) + timeoutMs * 1e3;
  for (;;) {
    const double lookUs = clockUs(CLOCK_REALTIME);
    const int status = pcap_dispatch(handle->pcap, -1, takePacket, (uint8_t *)&fill);
    if (fill.at > start) return (int64_t)(fill.at - start);
    if (status < 0 && status != PCAP_ERROR_BREAK) return faultOf(handle, status);
    handle->emptyAtUs = lookUs;
    if (takeWakeUp(handle)) return READ_INTERRUPTED;
    const double leftMs = (deadlineUs - clockUs(CLOCK_MONOTONIC)) / 1e3;
    if (leftMs <= 0) return READ_TIMEOUT;
    struct pollfd fds[2] = {{handle->pollFd, POLLIN, 0}, {handle->wake[0], POLLIN, 0}};
    const int ready = poll(fds, 2, (int)leftMs + 1);
    if (ready < 0 && errno != EINTR) return faultOf(handle, PCAP_ERROR);
    if (ready > 0 && (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 && (fds[0].revents & POLLIN) == 0)
      poll(&fds[1], 1, ERROR_PAUSE_MS);
  }
}

const char *linkState(const Handle *handle) {
  struct ifreq request;
  if (strcmp(handle->device, "any") == 0) return "up";
  memset(&request, 0, sizeof request);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%.*s", (int)sizeof request.ifr_name - 1, handle->device);
  if (ioctl(handle->pollFd, SIOCGIFFLAGS, &request) != 0) return "gone";
  if ((request.ifr_flags & IFF_UP) == 0) return "down";
  return (request.ifr_flags & IFF_RUNNING) == 0 ? "no carrier" : "up";
}
