/** A message of the type checker to the user: no value has this type. */
export type ErrorText<Message extends string> = Message & { readonly __error: never };
