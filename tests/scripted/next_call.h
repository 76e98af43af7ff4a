/*
 * For tests that stand before the C library: the function behind theirs.
 *
 *     int (*next)(const char *, struct stat *) = (...)NEXT_CALL(stat);
 *
 * Where a 32-bit glibc has one for large files and late times, too, a call of it in the source is
 * one of that, under the name that is told here. It wants _GNU_SOURCE.
 */
#ifndef TESTS_NEXT_CALL_H
#define TESTS_NEXT_CALL_H

#include <dlfcn.h>

#if defined(__GLIBC__) && defined(__USE_TIME_BITS64)
#define NEXT_clock_gettime "__clock_gettime64"
#define NEXT_fstatat       "__fstatat64_time64"
#define NEXT_openat        "openat64"
#define NEXT_readdir       "readdir64"
#define NEXT_stat          "__stat64_time64"
#else
#define NEXT_clock_gettime "clock_gettime"
#define NEXT_fstatat       "fstatat"
#define NEXT_openat        "openat"
#define NEXT_readdir       "readdir"
#define NEXT_stat          "stat"
#endif

#define NEXT_CALL(name) dlsym(RTLD_NEXT, NEXT_##name)

#endif
