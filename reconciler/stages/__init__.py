"""One verb a file. Stages carry values between ports and the core; they import no adapter and decide nothing the core
can decide."""
