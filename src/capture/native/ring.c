/*
 * Live capture for Node: libpcap's ring buffer read into slabs, many packets a call (Node-API 8, C11).
 *
 * In:  open(options) → handle, read(handle, slab, offset, timeoutMs), stats, linkState, setFilter, interrupt(id), close, devices;
 *      notify(address, text), which has nothing to do with capture: it is here because one addon is easier to install than two.
 *      src/capture/ring-addon.ts has the types.
 * Out: records of `sec u32 | nsec u32 | capLen u32 | wireLen u32 | frame` (little-endian), as src/capture/slab.ts has them.
 * Not: ticks, retries, merging of interfaces: live-ring.ts's.
 *
 * Every argument is checked here, whatever TypeScript promised. A handle belongs to the thread that opened it; only
 * `interrupt` may be called from another one.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include "handle.h"
#include "notify.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <netdb.h>
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const napi_type_tag HANDLE_TAG = {0x666c6f7773637269U, 0x62652d72696e6731U};

static void finalizeHandle(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  releaseHandle(data);
  free(data);
}

/* ---- errors and arguments ---- */

/* Throws an Error with a code that TypeScript tells apart; always returns NULL, for `return fail(…)`. */
static napi_value fail(napi_env env, const char *code, const char *message) {
  bool isPending = false;
  if (napi_is_exception_pending(env, &isPending) == napi_ok && !isPending) napi_throw_error(env, code, message);
  return NULL;
}

static napi_value failType(napi_env env, const char *message) {
  bool isPending = false;
  if (napi_is_exception_pending(env, &isPending) == napi_ok && !isPending) napi_throw_type_error(env, "EINVAL", message);
  return NULL;
}

#define CHECK(call)                                                                                                              \
  do {                                                                                                                           \
    if ((call) != napi_ok) return fail(env, "EINTERNAL", "Node-API refused: " #call);                                            \
  } while (0)

static bool isType(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

/* A whole number in [min, max]; false with a pending exception otherwise. */
static bool wholeNumber(napi_env env, napi_value value, const char *name, double min, double max, double *out) {
  char message[128];
  double number = 0;
  if (isType(env, value, napi_number) && napi_get_value_double(env, value, &number) == napi_ok && number >= min && number <= max &&
      (double)(int64_t)number == number) {
    *out = number;
    return true;
  }
  snprintf(message, sizeof message, "%s must be a whole number from %.0f to %.0f", name, min, max);
  failType(env, message);
  return false;
}

static bool optionNumber(napi_env env, napi_value options, const char *name, double min, double max, double *out) {
  napi_value value = NULL;
  if (napi_get_named_property(env, options, name, &value) == napi_ok) return wholeNumber(env, value, name, min, max, out);
  fail(env, "EINTERNAL", "an option cannot be read");
  return false;
}

static bool optionFlag(napi_env env, napi_value options, const char *name, bool *out) {
  char message[128];
  napi_value value = NULL;
  if (napi_get_named_property(env, options, name, &value) == napi_ok && isType(env, value, napi_boolean) &&
      napi_get_value_bool(env, value, out) == napi_ok)
    return true;
  snprintf(message, sizeof message, "%s must be true or false", name);
  failType(env, message);
  return false;
}

/* Text without NUL of at most size - 1 octets. */
static bool textOf(napi_env env, napi_value value, const char *name, char *out, size_t size) {
  char message[128];
  size_t len = 0;
  if (isType(env, value, napi_string) && napi_get_value_string_utf8(env, value, NULL, 0, &len) == napi_ok && len < size &&
      napi_get_value_string_utf8(env, value, out, size, &len) == napi_ok && strlen(out) == len)
    return true;
  snprintf(message, sizeof message, "%s must be text of fewer than %zu octets without NUL", name, size);
  failType(env, message);
  return false;
}

static bool optionText(napi_env env, napi_value options, const char *name, char *out, size_t size) {
  napi_value value = NULL;
  if (napi_get_named_property(env, options, name, &value) == napi_ok) return textOf(env, value, name, out, size);
  fail(env, "EINTERNAL", "an option cannot be read");
  return false;
}

/* The call's arguments; false with a pending exception when there are fewer than wanted. */
static bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *argv) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, argv, NULL, NULL) == napi_ok && count >= wanted) return true;
  failType(env, "too few arguments");
  return false;
}

/* The handle of an object that open gave; NULL with a pending exception when it is another, or closed. */
static Handle *handleOf(napi_env env, napi_value value) {
  bool isHandle = false;
  void *data = NULL;
  if (!isType(env, value, napi_object) || napi_check_object_type_tag(env, value, &HANDLE_TAG, &isHandle) != napi_ok || !isHandle ||
      napi_unwrap(env, value, &data) != napi_ok) {
    failType(env, "not a capture handle");
    return NULL;
  }
  Handle *handle = data;
  if (handle->pcap == NULL) {
    fail(env, "ECLOSED", "the capture is closed");
    return NULL;
  }
  return handle;
}

static bool setNumber(napi_env env, napi_value object, const char *name, double number) {
  napi_value value = NULL;
  return napi_create_double(env, number, &value) == napi_ok && napi_set_named_property(env, object, name, value) == napi_ok;
}

static bool setFlag(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value = NULL;
  return napi_get_boolean(env, flag, &value) == napi_ok && napi_set_named_property(env, object, name, value) == napi_ok;
}

static bool setText(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value = NULL;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

/* ---- open ---- */

static bool readOptions(napi_env env, napi_value object, OpenOptions *o) {
  double snapLen = 0;
  double bufferBytes = 0;
  double blockTimeoutMs = 0;
  double fanoutGroup = 0;
  double fanoutMode = 0;
  const bool isRead = optionText(env, object, "device", o->device, sizeof o->device) &&
                      optionNumber(env, object, "snapLen", 1, SNAP_LEN_MAX, &snapLen) &&
                      optionNumber(env, object, "bufferBytes", BUFFER_BYTES_MIN, BUFFER_BYTES_MAX, &bufferBytes) &&
                      optionNumber(env, object, "blockTimeoutMs", 1, BLOCK_TIMEOUT_MS_MAX, &blockTimeoutMs) &&
                      optionFlag(env, object, "isPromiscuous", &o->isPromiscuous) &&
                      optionFlag(env, object, "isNanosecond", &o->isNanosecond) &&
                      optionNumber(env, object, "fanoutGroup", -1, FANOUT_MAX, &fanoutGroup) &&
                      optionNumber(env, object, "fanoutMode", 0, FANOUT_MAX, &fanoutMode) &&
                      optionText(env, object, "filter", o->filter, sizeof o->filter);
  o->snapLen = (uint32_t)snapLen;
  o->bufferBytes = (int)bufferBytes;
  o->blockTimeoutMs = (int)blockTimeoutMs;
  o->fanoutGroup = (int32_t)fanoutGroup;
  o->fanoutMode = (uint32_t)fanoutMode;
  return isRead;
}

static bool describeHandle(napi_env env, napi_value object, const Handle *handle) {
  const int linkType = pcap_datalink(handle->pcap);
  const char *name = pcap_datalink_val_to_name(linkType);
  return setNumber(env, object, "id", handle->id) && setNumber(env, object, "linkType", linkType) &&
         setText(env, object, "linkTypeName", name == NULL ? "" : name) && setFlag(env, object, "isNanosecond", handle->isNanosecond) &&
         setNumber(env, object, "snapLen", pcap_snapshot(handle->pcap));
}

static napi_value openCapture(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value object = NULL;
  if (!arguments(env, info, 1, argv)) return NULL;
  if (!isType(env, argv[0], napi_object)) return failType(env, "options must be an object");
  OpenOptions *options = calloc(1, sizeof *options);
  Handle *handle = calloc(1, sizeof *handle);
  if (options == NULL || handle == NULL) {
    free(options);
    free(handle);
    return fail(env, "ENOMEM", "no memory for a capture");
  }
  OpenFault fault = {"EINTERNAL", "the capture cannot be opened"};
  const bool isRead = readOptions(env, argv[0], options);
  const bool isOpen = isRead && openHandle(handle, options, &fault);
  free(options);
  if (isOpen && napi_create_object(env, &object) == napi_ok && describeHandle(env, object, handle) &&
      napi_type_tag_object(env, object, &HANDLE_TAG) == napi_ok && napi_wrap(env, object, handle, finalizeHandle, NULL, NULL) == napi_ok)
    return object;
  if (isRead) releaseHandle(handle);
  free(handle);
  return fail(env, fault.code, fault.message);
}

/* ---- read ---- */

static napi_value readCapture(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  napi_value result = NULL;
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  size_t len = 0;
  bool isTyped = false;
  double offset = 0;
  double timeoutMs = 0;
  if (!arguments(env, info, 4, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  if (napi_is_typedarray(env, argv[1], &isTyped) != napi_ok || !isTyped) return failType(env, "the slab must be a Uint8Array");
  CHECK(napi_get_typedarray_info(env, argv[1], &type, &len, &data, NULL, NULL));
  if (type != napi_uint8_array) return failType(env, "the slab must be a Uint8Array");
  /* A detached buffer has no octets. */
  if (data == NULL || len == 0) return failType(env, "the slab has no memory");
  if (!wholeNumber(env, argv[2], "offset", 0, (double)len, &offset)) return NULL;
  if (!wholeNumber(env, argv[3], "timeoutMs", 0, TIMEOUT_MS_MAX, &timeoutMs)) return NULL;
  if (len - (size_t)offset < REC_HEADER_LEN + (size_t)handle->snapLen) return fail(env, "ERANGE", "the slab has no room for one record");
  if (handle->isReading) return fail(env, "EBUSY", "the capture is being read");
  handle->isReading = true;
  const int64_t got = readSlab(handle, data, (size_t)offset, len, (int)timeoutMs);
  handle->isReading = false;
  CHECK(napi_create_int64(env, got, &result));
  return result;
}

/* ---- the other calls ---- */

static napi_value statsOf(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value object = NULL;
  struct pcap_stat stat;
  if (!arguments(env, info, 1, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  memset(&stat, 0, sizeof stat);
  if (pcap_stats(handle->pcap, &stat) != 0) return fail(env, "ECAPTURE", pcap_geterr(handle->pcap));
  CHECK(napi_create_object(env, &object));
  /* 32-bit counters that wrap: live-ring.ts adds up differences. */
  const bool isSet = setNumber(env, object, "received", stat.ps_recv) && setNumber(env, object, "droppedByKernel", stat.ps_drop) &&
                     setNumber(env, object, "droppedByInterface", stat.ps_ifdrop) && setNumber(env, object, "noRoom", (double)handle->noRoom);
  return isSet ? object : fail(env, "EINTERNAL", "statistics cannot be given");
}

static napi_value emptyAtUsOf(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value result = NULL;
  if (!arguments(env, info, 1, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  CHECK(napi_create_double(env, handle->emptyAtUs, &result));
  return result;
}

static napi_value faultTextOf(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value result = NULL;
  if (!arguments(env, info, 1, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  CHECK(napi_create_string_utf8(env, handle->fault, NAPI_AUTO_LENGTH, &result));
  return result;
}

static napi_value linkStateOf(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value result = NULL;
  if (!arguments(env, info, 1, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  CHECK(napi_create_string_utf8(env, linkState(handle), NAPI_AUTO_LENGTH, &result));
  return result;
}

/* Another filter for an open capture. */
static napi_value setFilterOf(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  OpenFault fault = {"EINTERNAL", "the filter cannot be changed"};
  if (!arguments(env, info, 2, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  if (handle->isReading) return fail(env, "EBUSY", "the capture is being read");
  char *filter = malloc(FILTER_LEN_MAX);
  if (filter == NULL) return fail(env, "ENOMEM", "no memory for a filter");
  const bool isText = textOf(env, argv[1], "filter", filter, FILTER_LEN_MAX);
  const bool isSet = isText && changeFilter(handle, filter, &fault);
  free(filter);
  return isSet || !isText ? NULL : fail(env, fault.code, fault.message);
}

/* To the service manager, from any thread: '' when it was handed over, else why not. */
static napi_value notifyManager(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  napi_value result = NULL;
  char path[NOTIFY_PATH_MAX];
  char text[NOTICE_LEN_MAX];
  if (!arguments(env, info, 2, argv) || !textOf(env, argv[0], "the address", path, sizeof path) ||
      !textOf(env, argv[1], "the message", text, sizeof text))
    return NULL;
  const int fault = sendNotice(path, text, strlen(text));
  CHECK(napi_create_string_utf8(env, fault == 0 ? "" : strerror(fault), NAPI_AUTO_LENGTH, &result));
  return result;
}

/* From any thread. Returns whether such a capture is open. */
static napi_value interruptCapture(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_value result = NULL;
  double id = 0;
  if (!arguments(env, info, 1, argv) || !wholeNumber(env, argv[0], "id", 1, HANDLES_MAX, &id)) return NULL;
  CHECK(napi_get_boolean(env, interruptHandle((uint32_t)id), &result));
  return result;
}

static napi_value closeCapture(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  if (!arguments(env, info, 1, argv)) return NULL;
  Handle *handle = handleOf(env, argv[0]);
  if (handle == NULL) return NULL;
  if (handle->isReading) return fail(env, "EBUSY", "the capture is being read");
  releaseHandle(handle);
  return NULL;
}

static bool addAddresses(napi_env env, napi_value list, const pcap_addr_t *address) {
  char text[NI_MAXHOST];
  uint32_t count = 0;
  for (; address != NULL; address = address->next) {
    napi_value value = NULL;
    const struct sockaddr *socketAddress = address->addr;
    if (socketAddress == NULL || (socketAddress->sa_family != AF_INET && socketAddress->sa_family != AF_INET6)) continue;
    const bool isV4 = socketAddress->sa_family == AF_INET;
    const size_t len = isV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (getnameinfo(socketAddress, (socklen_t)len, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0) continue;
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) != napi_ok || napi_set_element(env, list, count++, value) != napi_ok)
      return false;
  }
  return true;
}

static const char *connectionOf(uint32_t flags) {
  switch (flags & PCAP_IF_CONNECTION_STATUS) {
  case PCAP_IF_CONNECTION_STATUS_CONNECTED:
    return "connected";
  case PCAP_IF_CONNECTION_STATUS_DISCONNECTED:
    return "disconnected";
  case PCAP_IF_CONNECTION_STATUS_NOT_APPLICABLE:
    return "not applicable";
  default:
    return "unknown";
  }
}

static bool describeDevice(napi_env env, napi_value object, const pcap_if_t *device) {
  napi_value addresses = NULL;
  return setText(env, object, "name", device->name) && setText(env, object, "description", device->description ? device->description : "") &&
         setText(env, object, "connection", connectionOf(device->flags)) && setFlag(env, object, "isUp", (device->flags & PCAP_IF_UP) != 0) &&
         setFlag(env, object, "isRunning", (device->flags & PCAP_IF_RUNNING) != 0) &&
         setFlag(env, object, "isLoopback", (device->flags & PCAP_IF_LOOPBACK) != 0) && napi_create_array(env, &addresses) == napi_ok &&
         addAddresses(env, addresses, device->addresses) && napi_set_named_property(env, object, "addresses", addresses) == napi_ok;
}

static napi_value listDevices(napi_env env, napi_callback_info info) {
  char message[PCAP_ERRBUF_SIZE];
  pcap_if_t *devices = NULL;
  napi_value list = NULL;
  uint32_t count = 0;
  (void)info;
  CHECK(napi_create_array(env, &list));
  if (pcap_findalldevs(&devices, message) != 0) return fail(env, "ECAPTURE", message);
  bool isWhole = true;
  for (const pcap_if_t *device = devices; device != NULL && isWhole; device = device->next) {
    napi_value object = NULL;
    isWhole = napi_create_object(env, &object) == napi_ok && describeDevice(env, object, device) &&
              napi_set_element(env, list, count++, object) == napi_ok;
  }
  pcap_freealldevs(devices);
  return isWhole ? list : fail(env, "EINTERNAL", "the devices cannot be listed");
}

/*
 * Blocks of rows are taken in one thread and given back in another, some a second for months. glibc begins with a mapping of their own for
 * such large blocks, but after the first that is given back it takes them from its arenas, which keep what the busiest minute needed and
 * break into pieces. A threshold that was set stays.
 */
static void giveLargeBlocksBack(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
}

static napi_value init(napi_env env, napi_value exports) {
  giveLargeBlocksBack();
  const struct {
    const char *name;
    napi_callback call;
  } calls[] = {
      {"open", openCapture},       {"read", readCapture},           {"stats", statsOf},       {"emptyAtUs", emptyAtUsOf}, {"faultText", faultTextOf},
      {"linkState", linkStateOf}, {"interrupt", interruptCapture}, {"close", closeCapture}, {"devices", listDevices},
      {"setFilter", setFilterOf}, {"notify", notifyManager},
  };
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    napi_value function = NULL;
    CHECK(napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].call, NULL, &function));
    CHECK(napi_set_named_property(env, exports, calls[i].name, function));
  }
  CHECK(setText(env, exports, "libraryVersion", pcap_lib_version()) ? napi_ok : napi_generic_failure);
  return exports;
}

NAPI_MODULE_INIT() { return init(env, exports); }
