import Posix
import QueueListing

Process.exit(QreadProgram.run())
