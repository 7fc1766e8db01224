/* The words of auth/passwords, as sorted 64-bit FNV-1a hashes of their lower case. */
#ifndef AUTH_PASSWORD_WORDS_H
#define AUTH_PASSWORD_WORDS_H

#include <stddef.h>
#include <stdint.h>

extern const uint64_t password_words[];
extern const size_t password_words_count;
extern const uint64_t password_local_words[]; /* those that are refused when put together, too */
extern const size_t password_local_words_count;

#endif
