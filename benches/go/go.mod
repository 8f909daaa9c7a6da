module manyhands/benches

go 1.21
