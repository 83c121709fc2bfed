LIB_OBJS := lib/sys.o lib/clock.o lib/io.o lib/num.o lib/title.o lib/utmpfile.o
