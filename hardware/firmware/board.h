/* What is wired where on the ATmega328P, and the firmware's bounds. The table for people stands in README.md. */
#pragma once

#include <avr/io.h>
#include <stdint.h>

#define FIRMWARE_NAME "adrift-relay"
#define FIRMWARE_VERSION "1.0.0"
#define PROTOCOL_VERSION 1

/* Channels are counted from 0 here and from 1 on the wire and on the box. */
#define CHANNELS 6
#define ALL_CHANNELS ((uint8_t)((1 << CHANNELS) - 1))

/* Relay n on PD2+n (D2..D7), high: energised, so the cable is cut. LED n on PB0+n (D8..D13), high: lit. Button n on PC0+n
 * (A0..A5), to ground. */
#define RELAY_PORT PORTD
#define RELAY_DIRECTION DDRD
#define RELAY_PIN PIND
#define RELAY_SHIFT 2
#define LED_PORT PORTB
#define LED_DIRECTION DDRB
#define BUTTON_PORT PORTC
#define BUTTON_PIN PINC

/* 16 MHz divides into 38400 baud with 0.2 % of error, whatever USB chip is at the other end; into 115200 with 2.1 %, which
 * leaves nothing for the resonator of the board. */
#define BAUD_RATE 38400UL

/* Longer requests are thrown away. */
#define LINE_LENGTH_MAX 48
/* No answer and no news is longer, line feed and all. */
#define ANSWER_LENGTH_MAX 96

#define LEASE_MS_MAX 3600000UL
/* A cut at the button has nobody who renews it: so long is a lesson's example. */
#define HAND_LEASE_MS 300000UL
/* No valid line for so long, and whoever cut is taken for dead. */
#define QUIET_MS 5000UL
/* A button counts as moved after so many equal looks, one each millisecond. */
#define DEBOUNCE_MS 20
