# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tools. Sets $top, and gives say, die and need_root.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() {
	printf '\033[1m== %s\033[0m\n' "$*" >&2
}

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root: sudo $0 $*"
}

# Where the first argument asks for help: prints the tool's head comment and ends.
help_if_asked() {
	case ${1:-} in
	-h | --help)
		sed -n '3,${/^#/!q;s/^# \{0,1\}//;p}' "$0"
		exit 0
		;;
	esac
}

# configure DIR OPTION...: a new tree, or one made before, which may have had other options.
configure() {
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$top" "$@"
	elif [ "$(cat "$dir/.options" 2>/dev/null)" != "$*" ]; then
		meson configure "$dir" "$@"
	fi && echo "$*" >"$dir/.options"
}

# Configures and builds into build/NAME with the given meson options; prints only trouble. The variable
# ninja_targets names what is wanted, if not all.
build_tree() {
	local name=$1 dir=$top/build/$1 log
	shift
	log=$(mktemp)
	if ! configure "$dir" "$@" >"$log" 2>&1 || ! ninja -C "$dir" ${ninja_targets:-} >>"$log" 2>&1; then
		tail -50 "$log" >&2
		rm -f "$log"
		die "the $name build failed"
	fi
	rm -f "$log"
}
