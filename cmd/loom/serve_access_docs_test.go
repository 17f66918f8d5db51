package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/loomfabric/loom/pkg/api"
	"github.com/loomfabric/loom/pkg/auth"
)

// The tables of docs/roles.md are what the program has; -update writes them.
func TestEveryRoleIsDocumented(t *testing.T) {
	t.Parallel()
	const page = "docs/roles.md"
	was := read(t, page)
	is := spliced(t, spliced(t, was, "roles", rolesTable()), "calls", callsTable())
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(is), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("%s (-is +should be); go test ./cmd/loom -run TestEveryRoleIsDocumented -update writes it:\n%s", page, diff)
	}
}

// spliced replaces what is between two marks of a page.
func spliced(t *testing.T, page, mark, table string) string {
	t.Helper()
	begin := strings.Index(page, "<!-- "+mark+":")
	if begin < 0 {
		t.Fatalf("no mark %s", mark)
	}
	begin += strings.Index(page[begin:], "-->\n") + len("-->\n")
	end := begin + strings.Index(page[begin:], "<!-- end -->")
	return page[:begin] + table + page[end:]
}

func rolesTable() string {
	var b strings.Builder
	b.WriteString("| permission | to |")
	for _, r := range auth.Roles {
		fmt.Fprintf(&b, " %s |", r.Name)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(auth.Roles)) + "\n")
	for _, p := range auth.Permissions {
		fmt.Fprintf(&b, "| `%s` | %s |", p.Name, p.For)
		for _, r := range auth.Roles {
			mark := ""
			if r.May(p.Name) {
				mark = "yes"
			}
			fmt.Fprintf(&b, " %s |", mark)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func callsTable() string {
	var b strings.Builder
	b.WriteString("| call | permission | of |\n|---|---|---|\n")
	rules := api.Rules()
	names := sortedKeys(rules)
	slices.SortStableFunc(names, func(x, y string) int { // ours first
		return strings.Compare(fmt.Sprint(!strings.HasPrefix(x, "/loom.v1.")), fmt.Sprint(!strings.HasPrefix(y, "/loom.v1.")))
	})
	for _, name := range names {
		r := rules[name]
		permission := "`" + r.GetPermission() + "`"
		if r.GetPermission() == "" {
			permission = ""
		}
		if r.GetApproves() != "" {
			permission += ", and `approve` with `" + r.GetApproves() + "`"
		}
		of := strings.ToLower(strings.TrimPrefix(r.GetScope().String(), "SCOPE_"))
		if r.GetOwn() != "" {
			of += "; anything with `" + r.GetOwn() + "` alone"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimPrefix(strings.TrimPrefix(name, "/"), "loom.v1."), permission, of)
	}
	return b.String()
}
