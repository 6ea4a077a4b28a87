package cmux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"minato/agent/cmux"
)

func Example() {
	ctx := context.Background()
	hostPort, modemPort := net.Pipe()
	host := cmux.New(hostPort, cmux.Config{Role: cmux.Initiator, N1: 127})
	modem := cmux.New(modemPort, cmux.Config{Role: cmux.Responder, N1: 127})
	hostEnded, modemEnded := make(chan error, 1), make(chan error, 1)
	go func() { hostEnded <- host.Run(ctx) }()
	go func() { modemEnded <- modem.Run(ctx) }()

	at, err := host.Open(ctx, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	interpreter, err := modem.Accept(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(at, "AT\r")
	line := make([]byte, 3)
	io.ReadFull(interpreter, line)
	fmt.Printf("the modem reads %q on DLCI %d\n", line, interpreter.DLCI())

	fmt.Println("closed:", host.Close(), <-hostEnded)
	fmt.Println("modem:", errors.Is(<-modemEnded, cmux.ErrPeerClosed))
	// Output:
	// the modem reads "AT\r" on DLCI 1
	// closed: <nil> <nil>
	// modem: true
}
