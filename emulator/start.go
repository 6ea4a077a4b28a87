package emulator

import "context"

// Start is New and Run for tests and other short lives: it returns once all is ready. stop ends the world, waits for its end and gives
// Run's error; it must be called, and may be more than once.
func Start(cfg Config) (e *Emulator, stop func() error, err error) {
	e, err = New(cfg)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var ran error
	go func() { // ends by stop, which waits for it
		defer close(ended)
		ran = e.Run(ctx)
	}()
	stop = func() error {
		cancel()
		<-ended
		return ran
	}
	select {
	case <-e.Ready():
		return e, stop, nil
	case <-ended:
		cancel()
		return nil, nil, ran
	}
}
