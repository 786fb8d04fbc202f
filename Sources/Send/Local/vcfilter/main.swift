import CommandLine
import FilterStore
import Posix

let usage: StaticString = """
    vcfilter -s [-r] address
           vcfilter -i -t name -c comparison [-h header -k keyword] -f folder -b bounce address
           vcfilter -u number [-t name] [-c …] [-h …] [-k …] [-f …] [-b …] address
           vcfilter -d number address
    see vcfilter(1)
    """
Process.exit(Program("vcfilter", usage: usage).run(VcfilterProgram.run))
