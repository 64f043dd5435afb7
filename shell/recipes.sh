# Sourced by the scripts that run recipes: paths that a user gives count from
# the user's folder, those of Hanlin's own files from Hanlin's.

HANLIN="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Prints where a file is: as it is given, or else among Hanlin's own.
find_file() { # PATH
  if [[ ! -e "$1" && -e "$HANLIN/$1" ]]; then
    echo "$HANLIN/$1"
  else
    echo "$1"
  fi
}

# Leaves the flags of a recipe in the array RECIPE_FLAGS. The recipes name
# Hanlin's configurations, which have to be found from every folder.
read_recipe() { # FLAGFILE
  local flagfile config
  flagfile="$(find_file "$1")"
  RECIPE_FLAGS=("--flagfile=$flagfile")
  config="$(sed -n 's/^--bert_config_file=//p' "$flagfile" 2>/dev/null || true)"
  if [[ -n "$config" ]]; then
    RECIPE_FLAGS+=("--bert_config_file=$(find_file "$config")")
  fi
}
