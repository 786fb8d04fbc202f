import Posix
import Recipients

Process.exit(RecipientsProgram.run())
