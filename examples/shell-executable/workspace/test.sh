#!/bin/sh
test "$(./bin/greet you)" = "hello you"
