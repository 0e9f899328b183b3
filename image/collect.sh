#!/bin/bash
# collect.sh ROOT FILE...
#
# Copies the files into ROOT, at the places where they are, with the shared libraries that they name. For each Debian package that
# something came from, ROOT gets the package's record, where image scanners look for it, and its licence.
# BELOW, from the environment: the root of the layer below, whose files are not copied again.
set -euo pipefail

root=$1
shift

# Whether an ELF file, which is what ldd can read.
is_binary() { [[ $(head --bytes=4 -- "$1" | tail --bytes=3) == ELF ]]; }

# The shared libraries that a binary needs, their own included; the kernel's has no file.
libraries_of() {
  local listing
  listing=$(ldd -- "$1")
  if [[ $listing == *'not found'* ]]; then
    printf '%s needs a library that is not there:\n%s\n' "$1" "$listing" >&2
    return 1
  fi
  grep --only-matching --extended-regexp '/[^ ]+' <<< "$listing"
}

# The licence of a package. Those built together may share one file, by links that slim images of Debian lack.
licence_of() {
  local source sibling
  source=$(dpkg-query --show --showformat='${source:Package}' "$1")
  for sibling in "$1" $(dpkg-query --show --showformat='${source:Package} ${Package}\n' | sed -n "s/^$source //p"); do
    if [[ -f /usr/share/doc/$sibling/copyright ]]; then
      echo "/usr/share/doc/$sibling/copyright"
      return
    fi
  done
  echo "no package of $source has a licence" >&2
  return 1
}

record_package() {
  local licence
  dpkg-query --status "$1" > "$root/var/lib/dpkg/status.d/$1"
  licence=$(licence_of "$1")
  install -D --mode=0644 "$licence" "$root/usr/share/doc/$1/copyright"
}

# The files of packages that were copied, by the names that the packages know.
sources=()

# add FILE link|file: a link is copied as it is, or as the file that it leads to.
add() {
  if [[ -e $root$1 || -L $root$1 || -n ${BELOW:-} && -e $BELOW$1 ]]; then return; fi
  if [[ $2 == link ]]; then cp --no-dereference --parents "$1" "$root"; else cp --dereference --parents "$1" "$root"; fi
  # What was put in /usr/local is no package's.
  if [[ $1 != /usr/local/* ]]; then sources+=("$(realpath "$1")"); fi
}

mkdir -p "$root/var/lib/dpkg/status.d"
for file in "$@"; do
  add "$file" link
  if is_binary "$file"; then
    libraries=$(libraries_of "$file")
    for library in $libraries; do add "$library" file; done
  fi
done
packages=$(dpkg-query --search "${sources[@]}" | cut --delimiter=: --fields=1 | sort --unique)
for package in $packages; do record_package "$package"; done
