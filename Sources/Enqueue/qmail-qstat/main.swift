import Posix
import QueueListing

Process.exit(QstatProgram.run())
