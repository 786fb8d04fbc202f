import Posix
import QueueListing

Process.exit(MailqProgram.run())
