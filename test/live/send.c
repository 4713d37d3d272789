/*
 * Puts frames on an interface and counts them: what the live tests and test/bench/live send with.
 *
 *   send IF flood RATE SECONDS FLOWS     60-octet UDP frames over FLOWS conversations; RATE a second, 0: as fast as it goes
 *   send IF inject RATE SECONDS FLOWS    the same frames as if IF received them, several times faster: the kernel makes them itself
 *                                        (BPF_PROG_RUN on live frames, Linux 5.18), on this core
 *   send IF forged RATE SECONDS SEED     such frames, each of another sender, as in a flood from forged addresses
 *   send IF file PCAP top|recorded       the frames of a classic pcap file (this machine's byte order), at once or at their pace
 *
 * Out: one line: frames sent, seconds taken. The count is of what the kernel took from us.
 * Not: for other than test interfaces: whoever listens there gets everything.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_LEN = 60, BATCH = 64, CLIENTS = 60000, FLOWS_MAX = 10 * CLIENTS, FILE_BYTES_MAX = 1 << 28, FILE_HEADER_LEN = 24, REC_HEADER_LEN = 16 };

static double nowS(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "send: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int openInterface(const char *name) {
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) die("socket");
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
  if (address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) die(name);
  /* Past the queueing discipline, which would only cost time. */
  const int on = 1;
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  return fd;
}

static uint16_t checksum(const uint8_t *b, size_t len) {
  uint32_t sum = 0;
  for (size_t i = 0; i < len; i += 2) sum += (uint32_t)(b[i] << 8 | b[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* Conversation `number`: 198.18.x.y to 198.19.0.1, UDP (RFC 2544's test addresses); beyond CLIENTS to another port of the server. */
static void makeFrame(uint8_t *b, unsigned number) {
  static const uint8_t head[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, 0, 0, 198, 19, 0, 1};
  const unsigned flow = number % CLIENTS;
  memset(b, 0, FRAME_LEN);
  memcpy(b, head, sizeof head);
  b[28] = (uint8_t)(flow >> 8);
  b[29] = (uint8_t)flow;
  const uint16_t sum = checksum(b + 14, 20);
  b[24] = (uint8_t)(sum >> 8);
  b[25] = (uint8_t)sum;
  b[34] = (uint8_t)((1024 + flow) >> 8);
  b[35] = (uint8_t)(1024 + flow);
  b[37] = (uint8_t)(53 + number / CLIENTS);
  b[39] = 26;
}

/* Sends a batch, waiting while the device is full; how many the kernel took. */
static unsigned sendBatch(int fd, struct mmsghdr *messages, unsigned count) {
  unsigned sent = 0;
  while (sent < count) {
    const int done = sendmmsg(fd, messages + sent, count - sent, 0);
    if (done > 0) sent += (unsigned)done;
    else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("sendmmsg");
  }
  return sent;
}

static uint64_t flood(int fd, double rate, double seconds, unsigned flows) {
  uint8_t *frames = malloc((size_t)flows * FRAME_LEN);
  if (frames == NULL) die("malloc");
  for (unsigned i = 0; i < flows; i++) makeFrame(frames + (size_t)i * FRAME_LEN, i);
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (unsigned i = 0; i < BATCH; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  uint64_t sent = 0;
  unsigned flow = 0;
  const double start = nowS();
  for (double now = start; now - start < seconds; now = nowS()) {
    if (rate > 0 && (double)sent > (now - start) * rate) continue;
    for (unsigned i = 0; i < BATCH; i++, flow = flow + 1 == flows ? 0 : flow + 1)
      parts[i] = (struct iovec){frames + (size_t)flow * FRAME_LEN, FRAME_LEN};
    sent += sendBatch(fd, messages, BATCH);
  }
  free(frames);
  return sent;
}

/* Another sender each: not among 198.18.0.0/15, whose conversations go on. */
static void forgeSender(uint8_t *b, uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  const uint32_t mixed = (*state ^ (*state >> 15)) * 0x2c1b3c6du;
  b[26] = (uint8_t)(20 + (mixed >> 24) % 80);
  b[27] = (uint8_t)(mixed >> 16);
  b[28] = (uint8_t)(mixed >> 8);
  b[29] = (uint8_t)mixed;
  b[24] = b[25] = 0;
  const uint16_t sum = checksum(b + 14, 20);
  b[24] = (uint8_t)(sum >> 8);
  b[25] = (uint8_t)sum;
}

static uint64_t forge(int fd, double rate, double seconds, uint32_t seed) {
  static uint8_t frames[BATCH][FRAME_LEN];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (unsigned i = 0; i < BATCH; i++) {
    makeFrame(frames[i], i);
    parts[i] = (struct iovec){frames[i], FRAME_LEN};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  uint64_t sent = 0;
  const double start = nowS();
  for (double now = start; now - start < seconds; now = nowS()) {
    if (rate > 0 && (double)sent > (now - start) * rate) continue;
    for (unsigned i = 0; i < BATCH; i++) forgeSender(frames[i], &seed);
    sent += sendBatch(fd, messages, BATCH);
  }
  return sent;
}

#define INSN(code_, dst, src, off_, imm_) {.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_)}

/* A program that makes each frame one of a conversation by chance. The IP identification takes up what the address changes in the sum. */
static int loadProgram(unsigned flows) {
  const struct bpf_insn program[] = {
      INSN(BPF_LDX | BPF_MEM | BPF_W, 6, 1, 0, 0),               /* r6 = data */
      INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 4, 0),               /* r2 = data_end */
      INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 6, 0, 0),             /* r3 = r6 */
      INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, FRAME_LEN),     /* r3 += frame */
      INSN(BPF_JMP | BPF_JGT | BPF_X, 3, 2, 8, 0),               /* the verifier wants to know that it is there */
      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32),
      INSN(BPF_ALU | BPF_MOD | BPF_K, 0, 0, 0, (int32_t)flows),  /* r0 %= flows */
      INSN(BPF_STX | BPF_MEM | BPF_H, 6, 0, 28, 0),              /* address, lower half */
      INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0),
      INSN(BPF_ALU64 | BPF_XOR | BPF_K, 1, 0, 0, 0xffff),
      INSN(BPF_STX | BPF_MEM | BPF_H, 6, 1, 18, 0),              /* identification */
      INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1024),
      INSN(BPF_STX | BPF_MEM | BPF_H, 6, 0, 34, 0),              /* port */
      INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.prog_type = BPF_PROG_TYPE_XDP;
  attr.insns = (uint64_t)(uintptr_t)program;
  attr.insn_cnt = sizeof program / sizeof program[0];
  attr.license = (uint64_t)(uintptr_t) "GPL";
  const long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
  if (fd < 0) die("BPF_PROG_LOAD");
  return (int)fd;
}

static uint64_t inject(const char *name, double rate, double seconds, unsigned flows) {
  uint8_t frame[FRAME_LEN];
  makeFrame(frame, 0);
  frame[18] = frame[19] = 0xff;
  frame[24] = frame[25] = 0;
  const uint16_t sum = checksum(frame + 14, 20);
  frame[24] = (uint8_t)(sum >> 8);
  frame[25] = (uint8_t)sum;
  struct xdp_md context = {.data_end = FRAME_LEN, .ingress_ifindex = if_nametoindex(name)};
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.test.prog_fd = (uint32_t)loadProgram(flows);
  attr.test.data_in = (uint64_t)(uintptr_t)frame;
  attr.test.data_size_in = FRAME_LEN;
  attr.test.ctx_in = (uint64_t)(uintptr_t)&context;
  attr.test.ctx_size_in = sizeof context;
  attr.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  attr.test.batch_size = BATCH;
  uint64_t sent = 0;
  const double start = nowS();
  for (double now = start; now - start < seconds; now = nowS()) {
    /* Setting a call up costs some packets' time: a few hundred calls a second. */
    const double due = rate > 0 ? (now - start) * rate - (double)sent : 1 << 20;
    if (due < 2048 && due < rate / 300) {
      usleep(100);
      continue;
    }
    attr.test.repeat = due > 1048576 ? 1048576 : (uint32_t)due;
    if (syscall(SYS_bpf, BPF_PROG_RUN, &attr, sizeof attr) != 0) die("BPF_PROG_RUN");
    sent += attr.test.repeat;
  }
  return sent;
}

static uint32_t word(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static uint64_t sendFile(int fd, const char *path, bool isRecordedPace) {
  FILE *file = fopen(path, "rb");
  uint8_t *bytes = malloc(FILE_BYTES_MAX);
  if (file == NULL || bytes == NULL) die(path);
  const size_t len = fread(bytes, 1, FILE_BYTES_MAX, file);
  fclose(file);
  if (len < FILE_HEADER_LEN || (word(bytes) != 0xa1b2c3d4 && word(bytes) != 0xa1b23c4d)) {
    fprintf(stderr, "send: %s: no classic pcap file of this byte order\n", path);
    exit(1);
  }
  const double unit = word(bytes) == 0xa1b2c3d4 ? 1e-6 : 1e-9;
  const double start = nowS();
  double first = -1;
  uint64_t sent = 0;
  for (size_t at = FILE_HEADER_LEN; at + REC_HEADER_LEN <= len; sent++) {
    const size_t capLen = word(bytes + at + 8);
    const double time = word(bytes + at) + word(bytes + at + 4) * unit;
    if (first < 0) first = time;
    if (at + REC_HEADER_LEN + capLen > len) break;
    while (isRecordedPace && nowS() - start < time - first) usleep(50);
    while (send(fd, bytes + at + REC_HEADER_LEN, capLen, 0) < 0)
      if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("send");
    at += REC_HEADER_LEN + capLen;
  }
  free(bytes);
  return sent;
}

int main(int argc, char **argv) {
  const bool isInjected = argc == 6 && strcmp(argv[2], "inject") == 0;
  const bool isForged = argc == 6 && strcmp(argv[2], "forged") == 0;
  const bool isFlood = isInjected || isForged || (argc == 6 && strcmp(argv[2], "flood") == 0);
  const bool isFile = argc == 5 && strcmp(argv[2], "file") == 0;
  if (!isFlood && !isFile) {
    fprintf(stderr, "usage: send IF flood|inject RATE SECONDS FLOWS | send IF forged RATE SECONDS SEED | send IF file PCAP top|recorded\n");
    return 2;
  }
  const int fd = openInterface(argv[1]);
  const unsigned long flows = isForged ? 1 : isFlood ? strtoul(argv[5], NULL, 10) : 1;
  if (flows < 1 || flows > (isInjected ? CLIENTS : FLOWS_MAX)) return 2;
  const double start = nowS();
  const double rate = isFlood ? strtod(argv[3], NULL) : 0;
  const double seconds = isFlood ? strtod(argv[4], NULL) : 0;
  const uint64_t sent = isForged     ? forge(fd, rate, seconds, (uint32_t)strtoul(argv[5], NULL, 10))
                        : isInjected ? inject(argv[1], rate, seconds, (unsigned)flows)
                        : isFlood    ? flood(fd, rate, seconds, (unsigned)flows)
                                     : sendFile(fd, argv[3], strcmp(argv[4], "recorded") == 0);
  printf("%llu %.6f\n", (unsigned long long)sent, nowS() - start);
  return 0;
}
