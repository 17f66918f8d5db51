#!/bin/sh
# Shows what a change does to the network: plans the topology as it is checked out against the same
# files at BASE and writes the plan as Markdown. No router is touched, and none has to be reachable.
#
#   BASE=HEAD^1 TOPOLOGY=topologies/demo.yaml sh plan.sh
#
#   BASE      revision to compare with; required
#   TOPOLOGY  topology files or directories, separated by spaces; "." where not set
#   LOOM      the program; "loom" where not set
#   PLAN      the file to write; "plan.md" where not set
#
# Exit code: 0 the topology is valid, whether or not anything changes; 1 it is not, or loom did not run.
# PLAN is written in every case, so that there is always something to post.
set -u

plan=${PLAN:-plan.md}
errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT

if [ -n "${BASE:-}" ]; then
	# TOPOLOGY is not quoted: its words are arguments.
	"${LOOM:-loom}" plan --against "git:$BASE" --format markdown -- ${TOPOLOGY:-.} >"$plan" 2>"$errors"
	code=$?
else
	echo "BASE is not set: name the revision to compare with" >"$errors"
	code=1
fi
cat "$errors" >&2 # warnings too: they belong in the job's log

case $code in
0) echo "no changes" ;;
2) echo "changes: see $plan" ;;
*)
	# Indented, not fenced: text from the change cannot close an indented block.
	{
		echo "### loom plan: error"
		echo
		head -n 100 "$errors" | sed 's/^/    /'
	} >"$plan"
	exit 1
	;;
esac
