# What another make than GNU's reads of Makefile, and the last that it does.
.error mailsync is built with GNU make: say gmake instead of make (Debian: make; the BSDs: pkg install gmake)
