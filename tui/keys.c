/* Names of keys, as footer, help and README write them. */
#include "tui/keys.h"

#include "core/fd.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int key;
	const char *name;
} names[] = {
	{ KEYS_TAB, "Tab" },
	{ KEYS_ENTER, "Enter" },
	{ KEYS_ESC, "Esc" },
	{ KEYS_BACKSPACE, "Backspace" },
	{ ' ', "Space" },
	{ KEYS_UP, "Up" },
	{ KEYS_DOWN, "Down" },
	{ KEYS_LEFT, "Left" },
	{ KEYS_RIGHT, "Right" },
	{ KEYS_HOME, "Home" },
	{ KEYS_END, "End" },
	{ KEYS_PAGE_UP, "PgUp" },
	{ KEYS_PAGE_DOWN, "PgDn" },
	{ KEYS_DELETE, "Del" },
	{ KEYS_INSERT, "Ins" },
	{ KEYS_BACK_TAB, "S-Tab" },
	{ KEYS_CLICK, "click" },
	{ KEYS_DOUBLE_CLICK, "double click" },
	{ KEYS_WHEEL_UP, "wheel" },
	{ KEYS_WHEEL_DOWN, "wheel" },
};

const char *keys_name(int key, char buf[KEYS_TEXT])
{
	char utf8[4];
	size_t n;

	buf[0] = '\0';
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].key == key)
			return names[i].name;
	if (key > KEYS_F0 && key <= KEYS_F12) {
		snprintf(buf, KEYS_TEXT, "F%d", key - KEYS_F0);
	} else if (key > 0 && key < ' ') {
		snprintf(buf, KEYS_TEXT, "^%c", key + '@');
	} else if (key > ' ' && key < KEYS_UP) {
		n = text_encode((uint32_t)key, utf8);
		snprintf(buf, KEYS_TEXT, "%.*s", (int)n, utf8);
	}
	return buf;
}

int keys_parse(const char *text)
{
	char name[KEYS_TEXT];
	uint32_t cp = 0;
	size_t n = strlen(text);

	if (n && text_decode(text, n, &cp) == n && cp > ' ' && cp != 127)
		return (int)cp;
	if (n == 2 && text[0] == '^' && text[1] >= 'A' && text[1] <= 'Z')
		return KEYS_CTRL(text[1]);
	for (int key = KEYS_F(1); key <= KEYS_F12; key++)
		if (strcmp(keys_name(key, name), text) == 0)
			return key;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].key < KEYS_CLICK && strcmp(names[i].name, text) == 0)
			return names[i].key;
	return KEYS_NONE;
}
