# Loaded into each Python process of an example: notes the CPU time that it took.
import atexit
import os
import time


def note():
    with open(os.environ["EXAMPLE_CPU_FILE"], "a") as file:
        file.write(f"{round(time.process_time() * 1e6)}\n")


atexit.register(note)
