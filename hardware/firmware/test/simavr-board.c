/* A board with an ATmega328P, emulated by simavr in real time: its serial port is a pseudo-terminal, its pins are told on
 * standard output, and a hand at the board speaks on standard input.
 *
 *   simavr-board FIRMWARE.hex LINK     LINK will point at the pseudo-terminal
 *
 * Opening the port resets the chip, as DTR does on a real board. On standard output, whenever pins change:
 *   pins <cycle> <DDRB> <PORTB> <DDRC> <PORTC> <DDRD> <PORTD>      numbers are hexadecimal, the cycle decimal
 * and `ready` once, `reset` at each reset. On standard input:
 *   hold C0, release C0      a button to ground
 *   slow MS                  from now on each byte of the chip arrives so late
 *   wrong 1, wrong 0         from now on the bytes of the chip arrive damaged, or as they are
 *   hang                     the program of the chip goes nowhere any more
 * It ends when standard input does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_hex.h"

#define FREQUENCY_HZ 16000000
#define CYCLES_PER_ROUND (FREQUENCY_HZ / 5000)
#define NS_PER_SECOND 1000000000LL
/* Later than this, lost time is not caught up with: this process was stopped. */
#define LATE_NS_MAX 1000000000LL
#define PENDING_MAX 65536
#define PULLED_UP 0x3F
#define PINC 0x26
#define MCUSR 0x54
#define EXTERNAL_RESET 0x02
#define JUMP_TO_ITSELF 0xCFFF

typedef struct {
  uint8_t byte;
  long long due_ns;
} pending_t;

static avr_t *avr;
static int port = -1;
static bool port_is_open;
static bool chip_takes_bytes = true;
static pending_t pending[PENDING_MAX];
static size_t pending_first, pending_end;
static long long slow_ns;
static bool is_wrong;
static uint8_t button_levels = PULLED_UP;
static long long pace_from_ns;
static avr_cycle_count_t pace_from_cycle;

static void serve_port(void);
static bool serve_hand(void);
static void tell_pins(void);
static void keep_pace(void);

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void do_not_sleep(avr_t *chip, avr_cycle_count_t cycles) {
  (void)chip;
  (void)cycles;
}

static void on_chip_byte(struct avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  (void)param;
  if (pending_end - pending_first == PENDING_MAX) return;
  const uint8_t byte = (uint8_t)(is_wrong && value < 0x80 ? value ^ 1 : value);
  pending[pending_end++ % PENDING_MAX] = (pending_t){.byte = byte, .due_ns = now_ns() + slow_ns};
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  (void)value;
  (void)param;
  chip_takes_bytes = true;
}

static void on_xoff(struct avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq;
  (void)value;
  (void)param;
  chip_takes_bytes = false;
}

/* Into the register itself: the firmware looks there, and a reset of the chip moves no button. */
static void press_buttons(void) { avr->data[PINC] = button_levels; }

static void load(const char *path) {
  ihex_chunk_p chunks = NULL;
  const int count = read_ihex_chunks(path, &chunks);
  if (count <= 0) fail(path);
  for (int chunk = 0; chunk < count; chunk++) {
    memcpy(avr->flash + chunks[chunk].baseaddr, chunks[chunk].data, chunks[chunk].size);
  }
  free_ihex_chunks(chunks);
  avr->pc = 0;
  avr->codeend = avr->flashend;
}

static void start_chip(const char *firmware) {
  avr = avr_make_mcu_by_name("atmega328p");
  if (avr == NULL) fail("atmega328p");
  avr_init(avr);
  avr->frequency = FREQUENCY_HZ;
  avr->log = LOG_NONE;
  avr->sleep = do_not_sleep;
  load(firmware);
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
  flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  const uint32_t uart = AVR_IOCTL_UART_GETIRQ('0');
  avr_irq_register_notify(avr_io_getirq(avr, uart, UART_IRQ_OUTPUT), on_chip_byte, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, uart, UART_IRQ_OUT_XON), on_xon, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, uart, UART_IRQ_OUT_XOFF), on_xoff, NULL);
}

static void open_port(const char *link) {
  int chip_side;
  char name[128];
  struct termios settings;
  if (openpty(&port, &chip_side, name, NULL, NULL) != 0) fail("openpty");
  tcgetattr(chip_side, &settings);
  cfmakeraw(&settings);
  tcsetattr(chip_side, TCSANOW, &settings);
  /* With nobody at the other side the port hangs up; so it shows when somebody opens it. */
  close(chip_side);
  fcntl(port, F_SETFL, O_NONBLOCK);
  unlink(link);
  if (symlink(name, link) != 0) fail(link);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: simavr-board FIRMWARE.hex LINK\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  start_chip(argv[1]);
  open_port(argv[2]);
  puts("ready");
  pace_from_ns = now_ns();
  avr_cycle_count_t next = 0;
  while (true) {
    const int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) return 1;
    tell_pins();
    if (avr->cycle < next) continue;
    next = avr->cycle + CYCLES_PER_ROUND;
    if (!serve_hand()) break;
    serve_port();
    press_buttons();
    keep_pace();
  }
  unlink(argv[2]);
  return 0;
}

static void reset(void) {
  puts("reset");
  avr_reset(avr);
  avr->data[MCUSR] = EXTERNAL_RESET;
  chip_takes_bytes = true;
  pending_first = pending_end;
  tcflush(port, TCIFLUSH);
}

static void serve_port(void) {
  struct pollfd poller = {.fd = port, .events = POLLIN};
  poll(&poller, 1, 0);
  const bool is_open = (poller.revents & POLLHUP) == 0;
  if (is_open && !port_is_open) reset();
  port_is_open = is_open;

  uint8_t byte;
  while (chip_takes_bytes && read(port, &byte, 1) == 1) {
    avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), byte);
  }
  const long long now = now_ns();
  while (pending_first != pending_end && pending[pending_first % PENDING_MAX].due_ns <= now) {
    if (is_open && write(port, &pending[pending_first % PENDING_MAX].byte, 1) != 1) break;
    pending_first++;
  }
}

static void obey(const char *order) {
  int number;
  if (sscanf(order, "hold C%d", &number) == 1) {
    button_levels &= (uint8_t)~(1 << number);
  } else if (sscanf(order, "release C%d", &number) == 1) {
    button_levels |= (uint8_t)(1 << number);
  } else if (sscanf(order, "slow %d", &number) == 1) {
    slow_ns = number * 1000000LL;
  } else if (sscanf(order, "wrong %d", &number) == 1) {
    is_wrong = number != 0;
  } else if (strcmp(order, "hang") == 0) {
    const uint32_t last = avr->flashend - 1;
    avr->flash[last] = JUMP_TO_ITSELF & 0xFF;
    avr->flash[last + 1] = JUMP_TO_ITSELF >> 8;
    avr->pc = last;
    avr->state = cpu_Running;
  } else {
    fprintf(stderr, "What is \"%s\"?\n", order);
  }
}

/* Whether there still is a hand. */
static bool serve_hand(void) {
  static char line[64];
  static size_t length;
  struct pollfd poller = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&poller, 1, 0) > 0) {
    char byte;
    if (read(STDIN_FILENO, &byte, 1) != 1) return false;
    if (byte != '\n') {
      if (length < sizeof line - 1) line[length++] = byte;
      continue;
    }
    line[length] = '\0';
    length = 0;
    obey(line);
  }
  return true;
}

/* As the registers are: a reset changes them without a word. */
static void tell_pins(void) {
  static const uint16_t ddr_of[3] = {0x24, 0x27, 0x2A};
  static const uint16_t port_of[3] = {0x25, 0x28, 0x2B};
  static uint8_t told[6];
  static bool has_told;
  uint8_t now[6];
  for (int index = 0; index < 3; index++) {
    now[2 * index] = avr->data[ddr_of[index]];
    now[2 * index + 1] = avr->data[port_of[index]];
  }
  if (has_told && memcmp(told, now, sizeof now) == 0) return;
  memcpy(told, now, sizeof now);
  has_told = true;
  printf("pins %" PRIu64 " %02x %02x %02x %02x %02x %02x\n", (uint64_t)avr->cycle, now[0], now[1], now[2], now[3], now[4],
         now[5]);
}

/* Waits until the clock on the wall has come as far as the chip. */
static void keep_pace(void) {
  const long long due = pace_from_ns + (long long)((avr->cycle - pace_from_cycle) * 1000 / (FREQUENCY_HZ / 1000000));
  const long long early = due - now_ns();
  if (early > 0) {
    const struct timespec pause = {early / NS_PER_SECOND, early % NS_PER_SECOND};
    nanosleep(&pause, NULL);
  } else if (early < -LATE_NS_MAX) {
    pace_from_ns = now_ns();
    pace_from_cycle = avr->cycle;
  }
}
