#!/usr/bin/env bash
# What waits on hosts, fetched by hand: one command a host over a connection that is open, eight at a time.
#
# pull.sh open|read|close ADDRESS FOLDER COUNT TIMES: users h1 … hCOUNT of that address, each a host; the folder with `key` and `known_hosts`.
set -euo pipefail

verb=$1 address=$2 folder=$3 count=$4 times=${5:-1}
ssh=(ssh -F none -i "$folder/key" -o BatchMode=yes -o UserKnownHostsFile="$folder/known_hosts" -o ControlPath="$folder/%r")
case $verb in
    open) seq "$count" | xargs -P 4 -I {} "${ssh[@]}" -o ControlMaster=yes -fN "h{}@$address" ;;
    close) seq "$count" | xargs -P 4 -I {} "${ssh[@]}" -O exit "h{}@$address" 2> /dev/null ;;
    read) for ((n = 0; n < times; n++)); do seq "$count"; done | xargs -P 8 -I {} "${ssh[@]}" "h{}@$address" cat waiting > /dev/null ;;
esac
