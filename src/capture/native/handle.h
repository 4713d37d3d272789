/*
 * One live capture, libpcap's side of it: opened, read into a slab, interrupted from another thread, closed.
 *
 * In:  checked options; memory to fill. Out: records as src/capture/slab.ts has them; codes and texts for what went wrong.
 * Not: Node, which is ring.c's.
 */
#ifndef FLOWSCRIBE_HANDLE_H
#define FLOWSCRIBE_HANDLE_H
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  REC_HEADER_LEN = 16,
  SNAP_LEN_MAX = 262144,
  BUFFER_BYTES_MIN = 1 << 16,
  BUFFER_BYTES_MAX = 1 << 30,
  TIMEOUT_MS_MAX = 60000,
  BLOCK_TIMEOUT_MS_MAX = 1000,
  DEVICE_LEN_MAX = 256,
  FILTER_LEN_MAX = 65536,
  HANDLES_MAX = 64,
  FANOUT_MAX = 65535,
  /* A descriptor that reports an error without packets must not become a busy loop. */
  ERROR_PAUSE_MS = 10
};

/* What read returns when it is not a count of octets. */
enum { READ_TIMEOUT = 0, READ_INTERRUPTED = -1, READ_GONE = -2, READ_FAILED = -3 };

typedef struct {
  pcap_t *pcap; /* NULL once closed */
  int pollFd;
  int wake[2]; /* pipe: [1] is written by interrupt */
  uint32_t id; /* index into `wakers` + 1 */
  uint32_t snapLen;
  bool isNanosecond;
  bool isReading;
  bool isFilteredByKernel; /* by a program that can be exchanged in one step */
  double emptyAtUs; /* clock before the last look that found the ring empty */
  uint64_t noRoom;  /* records that did not fit, which snapLen rules out */
  char device[DEVICE_LEN_MAX];
  char fault[PCAP_ERRBUF_SIZE];
} Handle;

typedef struct {
  char device[DEVICE_LEN_MAX];
  char filter[FILTER_LEN_MAX];
  uint32_t snapLen;
  int bufferBytes;
  /* How long the kernel may hold packets back to hand them on together. */
  int blockTimeoutMs;
  bool isPromiscuous;
  bool isNanosecond;
  int32_t fanoutGroup; /* -1: none */
  uint32_t fanoutMode;
} OpenOptions;

typedef struct {
  const char *code; /* what TypeScript tells apart: EPERM, ENODEV, ENETDOWN, EFILTER, EFANOUT, EMFILE, ECAPTURE */
  char message[PCAP_ERRBUF_SIZE + 64];
} OpenFault;

/* In: a zeroed handle. False with `fault` filled in; releaseHandle is due either way. */
bool openHandle(Handle *handle, const OpenOptions *options, OpenFault *fault);
/*
 * Another filter for an open capture, from its next packet on; '' takes all. What lies in the ring already was taken by the old one.
 * False with `fault` filled in, and the old filter in force.
 */
bool changeFilter(Handle *handle, const char *filter, OpenFault *fault);
/* Octets written to bytes[start, end), or a READ_… status. There must be room for a record of snapLen. */
int64_t readSlab(Handle *handle, uint8_t *bytes, size_t start, size_t end, int timeoutMs);
/* "up", "no carrier", "down" or "gone", as the kernel has it now. */
const char *linkState(const Handle *handle);
/* From any thread: ends the read of the capture with this number, now or when it next comes. False: there is none. */
bool interruptHandle(uint32_t id);
/* Lets go of everything but the handle's own memory. */
void releaseHandle(Handle *handle);

#endif
