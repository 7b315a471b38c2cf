#!/bin/bash
# Plants mistakes in a copy of the compiler, one at a time, and lets the
# grammar fuzzer look for each: for five minutes at most, or TIME. Ends with
# status 1 when one is not found. With ONLY_PLANT=1 it tells whether each can be planted, which takes a second.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root/go.mod" "$root/go.sum" "$root/llb" "$copy"
cd "$copy"
missed=0

# plant NAME FILE PERL-SUBSTITUTION
plant() {
	local file=llb/$2 log=$copy/log start=$SECONDS
	cp "$file" original
	perl -0pi -e "$3" "$file"
	if cmp -s "$file" original; then
		echo "$1: cannot be planted, $2 has changed"
		missed=1
		return
	fi
	if [ -n "${ONLY_PLANT:-}" ]; then
		cp original "$file"
		return
	fi
	if go test ./llb -run '^$' -fuzz FuzzGrammar -fuzztime "${TIME:-5m}" -fuzzminimizetime 1x >"$log" 2>&1; then
		echo "$1: NOT FOUND"
		missed=1
	elif finding=$(grep -a -m1 -o 'fuzz_test.go.*' "$log"); then
		echo "$1: found after $((SECONDS - start)) s: ${finding:0:150}"
	else
		echo "$1: not found, but this:"
		tail -n 20 "$log"
		missed=1
	fi
	cp original "$file"
	rm -rf llb/testdata/fuzz
}

plant 'ENV never replaces' plan/env.go 's/if i < 0 \{/if i < 0 || true {/'
plant 'progress forgets rounds' plan/progress.go 's/c\.index \+= steps/c.index += 0 * steps/'
plant 'steps ignore --no-cache' lower/fresh.go 's/return step\.IgnoreCache \|\|/return false \&\& step.IgnoreCache ||/'
plant 'cache ids are not cleaned' plan/mount.go 's/id = path\.Clean\(m\.Target\)/id = m.Target/'
plant 'EXPOSE keeps the case' plan/expose.go 's/strings\.ToLower\(s\.proto\)\)\n/s.proto)\n/'
plant 'WORKDIR ignores USER' plan/workdir.go 's/User: cmp\.Or\(chown, e\.out\.Image\.Config\.User\)/User: chown/'
plant 'the first stage of a name wins' stage/upstream.go 's/return same\[len\(same\)-1\], true/return same[0], true/'

exit $missed
