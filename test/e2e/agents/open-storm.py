"""open-storm.py FOLDER FILES OPENS: opens FILES files in FOLDER again and again, OPENS times in all."""
import os
import sys

folder, files, opens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for index in range(opens):
    os.close(os.open(f"{folder}/{index % files:05}", os.O_RDONLY))
print(opens)
