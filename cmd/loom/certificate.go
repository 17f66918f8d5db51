package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loomfabric/loom/models/api"
	"github.com/loomfabric/loom/pkg/auth"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
)

func certificateCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "certificate",
		Short: "Certificates by which callers are known to a controller",
		Long: `A controller (loom serve) has an authority of its own, which signs the certificates that callers show. Keys are made where they
are used, and the controller never sees them. A certificate says who its holder is; what it may do, its roles and loom role say.

What is revoked is not accepted any more within a second, also on connections that are open. The controller renews its own certificate
and that of its administrator; both, and the authority, are read again when their files change.`,
		Example: `  loom certificate issue ann -o ann --renewable
  loom certificate issue ci --role planner --for 24h -o ci
  loom context add lab --address loom.example.net:9559 --ca ann/ca.pem --cert ann/ann.pem --key ann/ann.key
  loom certificate renew
  loom certificate list
  loom certificate revoke ann --why 'laptop lost'
  loom certificate authority prepare`,
	}
	c.AddCommand(certificateIssueCommand(t), certificateRenewCommand(t), certificateRevokeCommand(t), certificateListCommand(t), certificateAuthorityCommand(t))
	return group(c)
}

func certificateIssueCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "issue NAME", Short: "Make a key, and have its certificate issued", Args: one("a name"),
		Long: `Makes a key here, and has the controller issue a certificate of it. Written are NAME.pem, NAME.key and ca.pem, which its holder
needs all three (loom context add). Without a role it is good for what bindings say (loom role bind NAME ROLE).`,
		Example: "  loom certificate issue ann -o ann --renewable\n  loom certificate issue probe --role viewer --for 720h -o probe",
	}
	roles := c.Flags().StringSlice("role", nil, "`ROLES` that it has by itself, of everything: "+strings.Join(auth.RoleNames(), ", "))
	span := c.Flags().Duration("for", auth.ClientLife, "`TIME` for which it is good")
	renewable := c.Flags().Bool("renewable", false, "its holder may renew it (loom certificate renew)")
	dir := c.Flags().StringP("output", "o", ".", "`DIR` to write to")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		request, key, err := auth.Request(rand.Reader)
		if err != nil {
			return err
		}
		m, err := api.NewAccessServiceClient(there).IssueCertificate(ctx, &api.IssueCertificateRequest{
			Request: request, Name: args[0], Roles: *roles, Span: durationpb.New(*span), Renewable: *renewable,
		})
		if err != nil {
			return err
		}
		if err := os.MkdirAll(*dir, 0o700); err != nil {
			return err
		}
		for _, f := range []struct {
			name string
			data []byte
		}{{args[0] + ".key", key}, {args[0] + ".pem", m.GetPem()}, {"ca.pem", m.GetAuthority()}} {
			if err := replaceFile(filepath.Join(*dir, f.name), f.data); err != nil {
				return err
			}
		}
		return t.certified(m.GetCertificate(), format, filepath.Join(*dir, args[0]+".pem"))
	})
}

func (t *terminal) certified(c *api.Certificate, format, where string) error {
	if format == "json" {
		return t.message(c)
	}
	t.printf("%s: certificate %s of %s, good until %s\n", where, c.GetSerial(), c.GetName(), localTime(c.GetUntil()))
	return nil
}

func certificateRenewCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "renew", Short: "Have the certificate of a context renewed, with a new key", Args: cobra.NoArgs,
		Long:    `Writes a new key and certificate in place of those of the context, and what it trusts. The old certificate stays good until it expires.`,
		Example: "  loom certificate renew --context lab",
	}
	return t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		request, key, err := auth.Request(rand.Reader)
		if err != nil {
			return err
		}
		m, err := api.NewAccessServiceClient(there).RenewCertificate(ctx, &api.RenewCertificateRequest{Request: request})
		if err != nil {
			return err
		}
		at := there.context
		for _, f := range []struct {
			name string
			data []byte
		}{{at.CA, m.GetAuthority()}, {at.Key, key}, {at.Cert, m.GetPem()}} {
			if err := replaceFile(f.name, f.data); err != nil {
				return err
			}
		}
		return t.certified(m.GetCertificate(), format, at.Cert)
	})
}

func certificateRevokeCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "revoke NAME|SERIAL", Short: "Have certificates not be accepted any more", Args: one("a name or a serial number"),
		Long: `With a serial number it is about that certificate, with a name about all of the name that were issued so far, also by a release
that kept no list. The next one of the name is good again. Keep somebody out for good by taking its roles back, too (loom role unbind).`,
		Example: "  loom certificate revoke ann --why 'laptop lost'\n  loom certificate revoke 3f1c22d09a --why 'key was in a mail'",
	}
	why := c.Flags().String("why", "", "`TEXT` that lists show with it")
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		access := api.NewAccessServiceClient(there)
		r := &api.RevokeCertificateRequest{Name: args[0], Reason: *why}
		all, err := certificates(ctx, access)
		if err != nil {
			return err
		}
		for _, x := range all.GetCertificates() {
			if x.GetSerial() == args[0] {
				r.Name, r.Serial = "", args[0]
			}
		}
		m, err := access.RevokeCertificate(ctx, r)
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		for _, x := range m.GetCertificates() {
			t.printf("revoked: certificate %s of %s\n", x.GetSerial(), x.GetName())
		}
		if r.GetName() != "" {
			t.printf("revoked: all certificates of %s that were issued so far\n", r.GetName())
		}
		return nil
	})
}

// certificates are all that are good still, or were revoked before they expired.
func certificates(ctx context.Context, access api.AccessServiceClient) (*api.ListCertificatesResponse, error) {
	all := &api.ListCertificatesResponse{}
	for r := (&api.ListCertificatesRequest{PageSize: 1000}); ; {
		m, err := access.ListCertificates(ctx, r)
		if err != nil {
			return nil, err
		}
		all.Certificates = append(all.Certificates, m.GetCertificates()...)
		if r.PageToken = m.GetNextPageToken(); r.PageToken == "" {
			return all, nil
		}
	}
}

func certificateListCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Certificates that were issued, without those that have expired", Args: cobra.NoArgs, Example: "  loom certificate list"}
	return t.asking(c, func(ctx context.Context, there *client, format string, _ []string) error {
		all, err := certificates(ctx, api.NewAccessServiceClient(there))
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(all)
		}
		var rows [][]string
		for _, x := range all.GetCertificates() {
			stands := "good"
			if x.GetRevoked() != nil {
				stands = strings.TrimSuffix(fmt.Sprintf("revoked %s by %s: %s", localTime(x.GetRevoked()), x.GetRevokedBy(), x.GetReason()), ": ")
			}
			rows = append(rows, []string{x.GetName(), x.GetSerial(), strings.Join(x.GetRoles(), ","), localTime(x.GetUntil()), x.GetBy(), stands})
		}
		return t.table("NAME\tSERIAL\tROLES\tUNTIL\tBY\tSTANDS", rows)
	})
}

func certificateAuthorityCommand(t *terminal) *cobra.Command {
	c := &cobra.Command{
		Use: "authority [prepare|switch|finish]", Short: "Print the authority that callers trust, or go on to the next one",
		Long: `Prints what callers trust, in PEM. A next authority comes in three steps, without a restart and without anybody being kept out:

  prepare    a next authority is made, and trusted beside the one that signs. Callers need to trust both before the next step: they get
             them by this command, and by loom certificate renew
  switch     the next one signs; the controller and its administrator get new certificates. Others have theirs renewed
  finish     the old authority is trusted no more: who has a certificate of it is kept out`,
		Example:   "  loom certificate authority > ca.pem\n  loom certificate authority prepare",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"prepare", "switch", "finish"},
	}
	steps := map[string]api.RotationStep{
		"prepare": api.RotationStep_ROTATION_STEP_PREPARE, "switch": api.RotationStep_ROTATION_STEP_SWITCH, "finish": api.RotationStep_ROTATION_STEP_FINISH,
	}
	return t.asking(c, func(ctx context.Context, there *client, format string, args []string) error {
		access := api.NewAccessServiceClient(there)
		if len(args) == 0 {
			m, err := access.GetAuthority(ctx, &api.GetAuthorityRequest{})
			if err != nil {
				return err
			}
			if format == "json" {
				return t.message(m)
			}
			t.printf("%s", m.GetPem())
			return nil
		}
		m, err := access.RotateAuthority(ctx, &api.RotateAuthorityRequest{Step: steps[args[0]]})
		if err != nil {
			return err
		}
		if format == "json" {
			return t.message(m)
		}
		t.printf("%s", m.GetPem())
		return nil
	})
}
