#include "protocol.h"

#include <stddef.h>
#include <string.h>

#include "board.h"
#include "buttons.h"
#include "channels.h"
#include "line.h"
#include "reset.h"
#include "serial.h"

#define STRINGIFIED(value) #value
#define STRING_OF(value) STRINGIFIED(value)

#define WORDS_MAX 5

typedef struct {
  char *words[WORDS_MAX];
  uint8_t count;
} request_t;

static uint32_t heard_at_ms;
static char words_text[LINE_LENGTH_MAX + 1];

static void serve(const request_t *request, uint32_t now_ms);
static void answer_set(const request_t *request, uint32_t now_ms);
static void answer_lease(const request_t *request, uint32_t now_ms);
static void answer_read(const request_t *request, uint32_t now_ms);
static void answer_buttons(void);
static void answer_identify(void);
static void answer_state(uint8_t channel, uint32_t now_ms);
static void refuse(const char *why);
static bool split(const char *text, request_t *request);
static bool parse_number(const char *text, uint32_t max, uint32_t *number);
static bool parse_channel(const char *text, uint8_t *channel);
static bool parse_lease(const char *text, uint32_t *lease_ms);
static bool is(const char *word, const char *other);

void protocol_start(uint32_t now_ms) { heard_at_ms = now_ms; }

/* After 49 days of silence this seems fresh again for a moment; by then nothing has been cut for long. */
bool protocol_is_quiet(uint32_t now_ms) { return now_ms - heard_at_ms >= QUIET_MS; }

bool protocol_has_work(void) { return serial_has_input() && line_has_room(); }

void protocol_serve(uint32_t now_ms) {
  if (!line_has_room()) return;
  const char *text = line_take();
  if (text == NULL) return;
  request_t request;
  uint32_t tag;
  if (!split(text, &request) || !parse_number(request.words[0], UINT16_MAX, &tag)) return;
  heard_at_ms = now_ms;
  line_begin();
  line_number(tag);
  serve(&request, now_ms);
  line_end();
}

static void serve(const request_t *request, uint32_t now_ms) {
  const char *verb = request->count > 1 ? request->words[1] : "";
  if (is(verb, "set")) {
    answer_set(request, now_ms);
  } else if (is(verb, "lease")) {
    answer_lease(request, now_ms);
  } else if (is(verb, "read")) {
    answer_read(request, now_ms);
  } else if (is(verb, "buttons") && request->count == 2) {
    answer_buttons();
  } else if (is(verb, "identify") && request->count == 2) {
    answer_identify();
  } else if (is(verb, "version") && request->count == 2) {
    line_text(" ok " FIRMWARE_VERSION " protocol=" STRING_OF(PROTOCOL_VERSION));
  } else {
    refuse("request");
  }
}

/* set CHANNEL cut MS, set CHANNEL whole */
static void answer_set(const request_t *request, uint32_t now_ms) {
  uint8_t channel;
  uint32_t lease_ms;
  if (request->count < 4) return refuse("request");
  if (!parse_channel(request->words[2], &channel)) return refuse("channel");
  if (is(request->words[3], "whole") && request->count == 4) {
    channel_heal(channel);
  } else if (is(request->words[3], "cut") && request->count == 5) {
    if (!parse_lease(request->words[4], &lease_ms)) return refuse("lease");
    channel_cut(channel, CHANNEL_CUT_BY_HOST, now_ms, lease_ms);
  } else {
    return refuse("request");
  }
  answer_state(channel, now_ms);
}

/* lease CHANNEL MS: renews a cut, and never makes one. */
static void answer_lease(const request_t *request, uint32_t now_ms) {
  uint8_t channel;
  uint32_t lease_ms;
  if (request->count != 4) return refuse("request");
  if (!parse_channel(request->words[2], &channel)) return refuse("channel");
  if (!parse_lease(request->words[3], &lease_ms)) return refuse("lease");
  if (channel_state(channel) == CHANNEL_WHOLE) return refuse("whole");
  channel_cut(channel, CHANNEL_CUT_BY_HOST, now_ms, lease_ms);
  answer_state(channel, now_ms);
}

/* read, read CHANNEL */
static void answer_read(const request_t *request, uint32_t now_ms) {
  uint8_t channel;
  if (request->count == 2) {
    line_text(" ok");
    for (channel = 0; channel < CHANNELS; channel++) {
      line_text(channel_state(channel) == CHANNEL_WHOLE ? " whole" : " cut");
    }
    return;
  }
  if (request->count != 3) return refuse("request");
  if (!parse_channel(request->words[2], &channel)) return refuse("channel");
  answer_state(channel, now_ms);
}

static void answer_buttons(void) {
  line_text(" ok");
  for (uint8_t channel = 0; channel < CHANNELS; channel++) line_text(button_is_down(channel) ? " down" : " up");
}

static void answer_identify(void) {
  line_text(" ok " FIRMWARE_NAME " channels=" STRING_OF(CHANNELS) " reset=");
  line_text(reset_cause());
  line_text(" damaged=");
  line_number(line_damaged());
}

/* As it is at the pin: whole, or cut with who cut it and how long it still lasts. */
static void answer_state(uint8_t channel, uint32_t now_ms) {
  if (!channel_pin_obeys(channel)) return refuse("pin");
  line_text(" ok ");
  line_number(channel + 1UL);
  if (channel_state(channel) == CHANNEL_WHOLE) {
    line_text(" whole");
    return;
  }
  line_text(channel_state(channel) == CHANNEL_CUT_BY_HOST ? " cut host " : " cut hand ");
  line_number(channel_lease_left_ms(channel, now_ms));
}

static void refuse(const char *why) {
  line_text(" no ");
  line_text(why);
}

void protocol_tell_start(void) {
  line_begin();
  line_text("! start " FIRMWARE_NAME " " FIRMWARE_VERSION " reset=");
  line_text(reset_cause());
  line_end();
}

static void tell(const char *what, uint8_t channel, const char *why) {
  line_begin();
  line_text(what);
  line_number(channel + 1UL);
  line_text(" ");
  line_text(why);
  line_end();
}

void protocol_tell_cut(uint8_t channel, const char *why) { tell("! cut ", channel, why); }

void protocol_tell_healed(uint8_t channel, const char *why) { tell("! healed ", channel, why); }

/* Words with one space between them. */
static bool split(const char *text, request_t *request) {
  strcpy(words_text, text);
  request->count = 0;
  char *rest = words_text;
  char *word;
  while ((word = strsep(&rest, " ")) != NULL) {
    if (*word == '\0' || request->count == WORDS_MAX) return false;
    request->words[request->count++] = word;
  }
  return true;
}

/* Decimal digits alone; nothing above `max`, which must leave room for a digit more. */
static bool parse_number(const char *text, uint32_t max, uint32_t *number) {
  *number = 0;
  do {
    if (*text < '0' || *text > '9') return false;
    *number = *number * 10 + (uint32_t)(*text - '0');
    if (*number > max) return false;
  } while (*++text != '\0');
  return true;
}

static bool parse_channel(const char *text, uint8_t *channel) {
  uint32_t number;
  if (!parse_number(text, CHANNELS, &number) || number == 0) return false;
  *channel = (uint8_t)(number - 1);
  return true;
}

static bool parse_lease(const char *text, uint32_t *lease_ms) {
  return parse_number(text, LEASE_MS_MAX, lease_ms) && *lease_ms > 0;
}

static bool is(const char *word, const char *other) { return strcmp(word, other) == 0; }
