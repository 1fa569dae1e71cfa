#include "line.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <util/crc16.h>

#include "board.h"
#include "serial.h"

#define CRC_START 0xFFFF
#define CHECKSUM_LENGTH 5

static char text[LINE_LENGTH_MAX + 1];
static uint8_t length;
/* Until its end, the line that comes in is thrown away. */
static bool is_spoilt;
static uint16_t damaged;

static uint16_t answer_crc;
static bool answer_is_wanted;

static uint16_t crc_of(const char *bytes, uint8_t count) {
  uint16_t crc = CRC_START;
  while (count-- > 0) crc = _crc_xmodem_update(crc, (uint8_t)*bytes++);
  return crc;
}

static char hexadecimal(uint8_t value) { return (char)(value < 10 ? '0' + value : 'A' + value - 10); }

static char crc_digit(uint16_t crc, uint8_t place) { return hexadecimal((crc >> (12 - 4 * place)) & 0xF); }

/* Checks the line that is complete, and cuts its checksum off. */
static bool has_right_checksum(void) {
  if (length <= CHECKSUM_LENGTH) return false;
  const uint8_t end = (uint8_t)(length - CHECKSUM_LENGTH);
  if (text[end] != '*') return false;
  const uint16_t crc = crc_of(text, end);
  for (uint8_t place = 0; place < 4; place++) {
    if (text[end + 1 + place] != crc_digit(crc, place)) return false;
  }
  text[end] = '\0';
  return true;
}

const char *line_take(void) {
  while (serial_has_input()) {
    const char byte = serial_take();
    if (byte == '\n') {
      const bool is_empty = length == 0 && !is_spoilt;
      const bool is_good = !is_spoilt && has_right_checksum();
      length = 0;
      is_spoilt = false;
      if (is_good) return text;
      if (!is_empty && damaged < UINT16_MAX) damaged++;
      return NULL;
    }
    if (byte == '\r') continue;
    if (byte < ' ' || byte > '~' || length == LINE_LENGTH_MAX) {
      is_spoilt = true;
    } else {
      text[length++] = byte;
    }
  }
  return NULL;
}

uint16_t line_damaged(void) { return damaged; }

bool line_has_room(void) { return serial_room() >= ANSWER_LENGTH_MAX; }

static void send(char byte) {
  answer_crc = _crc_xmodem_update(answer_crc, (uint8_t)byte);
  if (answer_is_wanted) serial_send(byte);
}

void line_begin(void) {
  answer_is_wanted = line_has_room();
  answer_crc = CRC_START;
}

void line_text(const char *piece) {
  while (*piece != '\0') send(*piece++);
}

void line_number(uint32_t number) {
  char digits[11];
  line_text(ultoa(number, digits, 10));
}

void line_end(void) {
  const uint16_t crc = answer_crc;
  send('*');
  for (uint8_t place = 0; place < 4; place++) send(crc_digit(crc, place));
  send('\n');
}
