/** Query parameters that every write takes. */
export interface WriteOptions {
  dryRun: boolean;
  /** Who owns the written fields: the `fieldManager` parameter, else the first part of the user agent. */
  fieldManager: string;
}
