package simapi

import (
	"context"
	"crypto/tls"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/loomfabric/loom/pkg/device"
)

// ServerName is the name in the certificate of a simulation.
const ServerName = "simulation"

// Client controls a simulation.
type Client struct {
	SimulationClient
	conn *grpc.ClientConn
}

// Dial returns a client of the simulation that an inventory is of. It connects with the first call.
func Dial(inv device.Inventory) (*Client, error) {
	if inv.Simulation == "" {
		return nil, errors.New("inventory: says of no simulation; use the one that `loom sim` has written")
	}
	pool, err := inv.Pool()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+inv.Simulation,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: ServerName, MinVersion: tls.VersionTLS12})),
		grpc.WithPerRPCCredentials(login{inv.Username, inv.Password}),
		grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, err
	}
	return &Client{NewSimulationClient(conn), conn}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// login puts user name and password into the metadata of every call, as gNMI does for devices.
type login struct{ username, password string }

// GetRequestMetadata returns the metadata.
func (l login) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"username": l.username, "password": l.password}, nil
}

// RequireTransportSecurity tells that a password is not for everybody to read.
func (l login) RequireTransportSecurity() bool { return true }
